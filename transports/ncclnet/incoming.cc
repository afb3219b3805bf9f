// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/incoming.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace atl::ncclnet {
namespace {

constexpr std::size_t kMostSlots = 1;  ///< one header is asked for at a time
constexpr std::size_t kMostBlocks = 4;

}  // namespace

Incoming::Incoming(std::unique_ptr<Comm> comm, std::uint64_t blockBytes, Rank me, Rank peer)
    : comm_(std::move(comm)),
      blockBytes_(blockBytes),
      slots_(*comm_, kSlotBytes, kMostSlots),
      blocks_(*comm_, blockBytes, kMostBlocks),
      me_(me),
      peer_(peer) {}

Result<bool> Incoming::deliver() {
  bool moved = false;
  for (;;) {
    ATOLL_ASSIGN(bool more, settle());
    more |= pour();
    ATOLL_ASSIGN(const bool asked, ask());
    if (!more && !asked) return moved;
    moved = true;
  }
}

/// Until something is left without a place: what came behind it waits.
Result<bool> Incoming::settle() {
  bool moved = false;
  while (!underWay_.empty() && spill_.buffer == nullptr) {
    const Receiving received = underWay_.oldest();
    ATOLL_ASSIGN(const auto came, comm_->test(received.request));
    if (!came) return moved;
    underWay_.removeOldest();
    ATOLL_TRY(take(received, *came));
    moved = true;
  }
  return moved;
}

Status Incoming::take(const Receiving& received, std::size_t came) {
  if (received.header) return takeHeader(received, came);
  if (came != received.bytes) {
    return makeError(ErrorCode::remoteError, "protocol: {} bytes came where a block of {} should be", came,
                     received.bytes);
  }
  if (received.piece == nullptr) {
    splitUnderWay_ = false;
    spill_ = {received.pool, received.buffer, 0, received.bytes};
    return success();
  }
  if (received.buffer != nullptr) {
    std::memcpy(received.to, received.buffer->memory.get(), received.bytes);
    received.pool->giveBack(received.buffer);
  }
  received.piece->left -= received.bytes;
  return success();
}

Status Incoming::takeHeader(const Receiving& received, std::size_t came) {
  headerUnderWay_ = false;
  Header header;
  std::memcpy(&header, received.buffer->memory.get(), std::min(came, sizeof header));
  ATOLL_TRY(check(header, came, awaited_));
  opened_ = awaited_.message;
  if (header.bytes > 0 && header.bytes <= kInlineBytes) {
    spill_ = {received.pool, received.buffer, sizeof header, sizeof header + header.bytes};
    return success();
  }
  received.pool->giveBack(received.buffer);
  if (header.bytes > 0) return success();
  pieces.current()->left -= 1;
  pieces.advance(0);
  return success();
}

bool Incoming::pour() {
  if (spill_.buffer == nullptr) return false;
  bool moved = false;
  while (spill_.at < spill_.end && pieces.current() != nullptr) {
    ReceivePiece* const piece = pieces.current();
    const std::uint64_t bytes = std::min(pieces.room(), spill_.end - spill_.at);
    std::memcpy(pieces.data(), spill_.buffer->memory.get() + spill_.at, bytes);
    spill_.at += bytes;
    piece->left -= bytes;
    pieces.advance(bytes);
    moved = true;
  }
  if (spill_.at == spill_.end) {
    spill_.pool->giveBack(spill_.buffer);
    spill_ = Spill{};
  }
  return moved;
}

/// The plug-in goes by the order of requests: so they are made in the order in which the sender sends.
Result<bool> Incoming::ask() {
  if (pieces.current() == nullptr || headerUnderWay_ || splitUnderWay_ || spill_.buffer != nullptr ||
      underWay_.full()) {
    return false;
  }
  return opened_ < pieces.message() ? askForHeader() : askForBlock();
}

Result<bool> Incoming::askForHeader() {
  ATOLL_ASSIGN(Buffer* const buffer, slots_.borrow());
  if (buffer == nullptr) return false;
  Receiving receiving;
  receiving.header = true;
  receiving.pool = &slots_;
  receiving.buffer = buffer;
  ATOLL_ASSIGN(headerUnderWay_, receive(receiving, buffer->memory.get(), kSlotBytes, buffer->registration));
  awaited_ = {me_, peer_, pieces.message(), pieces.messageBytes(), pieces.call()};
  return headerUnderWay_;
}

Result<bool> Incoming::askForBlock() {
  Receiving receiving;
  receiving.bytes = std::min(blockBytes_, pieces.messageBytes() - pieces.position());
  const bool whole = pieces.room() >= receiving.bytes;
  if (whole) {
    receiving.piece = pieces.current();
    receiving.to = pieces.data();
    if (const auto registration = comm_->registrationOf(receiving.to, receiving.bytes)) {
      ATOLL_ASSIGN(const bool asked, receive(receiving, receiving.to, receiving.bytes, *registration));
      if (asked) pieces.advance(receiving.bytes);
      return asked;
    }
  }
  ATOLL_ASSIGN(Buffer* const buffer, blocks_.borrow());
  if (buffer == nullptr) return false;
  receiving.pool = &blocks_;
  receiving.buffer = buffer;
  ATOLL_ASSIGN(const bool asked, receive(receiving, buffer->memory.get(), receiving.bytes, buffer->registration));
  if (asked && whole) pieces.advance(receiving.bytes);
  splitUnderWay_ = asked && !whole;
  return asked;
}

/// False: not now, and the buffer is given back.
Result<bool> Incoming::receive(Receiving receiving, void* to, std::uint64_t bytes, Registration registration) {
  ATOLL_ASSIGN(receiving.request, comm_->receive(to, bytes, registration));
  if (receiving.request != nullptr) {
    underWay_.add(receiving);
    return true;
  }
  if (receiving.buffer != nullptr) receiving.pool->giveBack(receiving.buffer);
  return false;
}

}  // namespace atl::ncclnet
