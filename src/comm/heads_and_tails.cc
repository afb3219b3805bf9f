// SPDX-License-Identifier: Apache-2.0
#include "src/comm/heads_and_tails.h"

#include <algorithm>
#include <cstring>

namespace atl {
namespace {

/// What a head begins with: the bytes of the block.
using BlockSize = std::uint64_t;

}  // namespace

HeadsAndTails::HeadsAndTails(const exec::HostExecution::Environment& environment, exec::HostExecution& heads)
    : environment_(environment), heads_(heads), tails_(environment) {}

std::size_t HeadsAndTails::bytesOf(const std::size_t* counts, Rank peer) const {
  return counts[peer] * sizeOf(call_.type);
}

std::size_t HeadsAndTails::inHead(std::size_t bytes) const {
  return std::min(bytes, headBytes_ - sizeof(BlockSize));
}

Status HeadsAndTails::begin(const Call& call, std::size_t headBytes, ProgramCache& programs, std::uint64_t sequence) {
  call_ = call;
  sequence_ = sequence;
  headBytes_ = headBytes;
  packHeads();
  listTails();
  Call ofHeads;
  ofHeads.collective = Collective::allToAll;
  ofHeads.send = leaving_.data();
  ofHeads.recv = arriving_.data();
  ofHeads.count = headBytes / sizeOf(call.type);
  ofHeads.type = call.type;  // so that it is compared
  ofHeads.heads = true;
  ATOLL_ASSIGN(exec::Program* const heads, programs.get(ofHeads));
  exec::Program* tails = nullptr;
  if (!tailsOfCall_.empty()) {
    ATOLL_ASSIGN(tails, programs.get(tailsOfCall_, ProgramCache::Exchange::tails));
  }
  heads_.begin(*heads, ofHeads.send, ofHeads.recv, ofHeads.op, sequence);
  if (tails != nullptr) tails_.begin(*tails, nullptr, nullptr, Operator{}, 0);
  return success();
}

void HeadsAndTails::packHeads() {
  const Rank ranks = environment_.directory->ranks();
  const std::size_t bytes = headBytes_ * static_cast<std::size_t>(ranks);
  if (leaving_.size() < bytes) {
    leaving_.resize(bytes);
    arriving_.resize(bytes);
  }
  const auto* const from = static_cast<const std::byte*>(call_.send);
  for (Rank peer = 0; peer < ranks; ++peer) {
    std::byte* const head = leaving_.data() + static_cast<std::size_t>(peer) * headBytes_;
    const BlockSize size = bytesOf(call_.sendCounts, peer);
    std::memcpy(head, &size, sizeof size);
    if (size > 0) std::memcpy(head + sizeof size, from + bytesOf(call_.sendDispls, peer), inHead(size));
  }
}

void HeadsAndTails::listTails() {
  tailsOfCall_.clear();
  const auto add = [&](bool isSend, std::byte* blocks, const std::size_t* counts, const std::size_t* displs,
                       Rank peer) {
    const std::size_t bytes = bytesOf(counts, peer);
    const std::size_t before = inHead(bytes);
    if (bytes == before) return;
    tailsOfCall_.push_back({isSend, blocks + bytesOf(displs, peer) + before, bytes - before, DataType::uint8, peer});
  };
  auto* const send = static_cast<std::byte*>(const_cast<void*>(call_.send));  // only read, as PointToPoint says
  auto* const recv = static_cast<std::byte*>(call_.recv);
  for (Rank peer = 0; peer < environment_.directory->ranks(); ++peer) {
    add(true, send, call_.sendCounts, call_.sendDispls, peer);
    add(false, recv, call_.recvCounts, call_.recvDispls, peer);
  }
}

Status HeadsAndTails::takeHeads() const {
  auto* const to = static_cast<std::byte*>(call_.recv);
  for (Rank peer = 0; peer < environment_.directory->ranks(); ++peer) {
    const std::byte* const head = arriving_.data() + static_cast<std::size_t>(peer) * headBytes_;
    BlockSize size = 0;
    std::memcpy(&size, head, sizeof size);
    const std::size_t expected = bytesOf(call_.recvCounts, peer);
    if (size != expected) {
      return makeError(ErrorCode::mismatch, "{} sends {} bytes to {}, whose recvcounts[{}] says {}",
                       environment_.directory->name(peer), size, environment_.directory->name(environment_.rank), peer,
                       expected);
    }
    if (size > 0) std::memcpy(to + bytesOf(call_.recvDispls, peer), head + sizeof size, inHead(size));
  }
  return success();
}

Result<bool> HeadsAndTails::progress() {
  moved_ = false;
  if (heads_.active()) {
    auto result = heads_.progress();
    if (!result.ok()) {
      tails_.cancel(result.error());
      return result;
    }
    moved_ = heads_.moved();
    if (*result) {
      if (Status taken = takeHeads(); !taken.ok()) {
        tails_.cancel(taken.error());
        return std::move(taken).error().within(fmt::format("{}-v #{}", nameOf(call_.collective), sequence_));
      }
    }
  }
  if (tails_.active()) {
    auto result = tails_.progress();
    if (!result.ok()) {
      heads_.cancel(result.error());
      return result;
    }
    moved_ |= tails_.moved();
  }
  return !heads_.active() && !tails_.active();
}

void HeadsAndTails::wanted(WakeSources& sources) const {
  heads_.wanted(sources);
  tails_.wanted(sources);
}

void HeadsAndTails::cancel(const Error& reason) {
  heads_.cancel(reason);
  tails_.cancel(reason);
}

}  // namespace atl
