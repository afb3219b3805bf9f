// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/outgoing.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "transports/ncclnet/wire.h"

namespace atl::ncclnet {
namespace {

/// Headers, with what is small of their messages, that may be under way; and blocks that are copied.
constexpr std::size_t kMostSlots = kMostRequestsOfOldPlugins;
constexpr std::size_t kMostBlocks = 4;

}  // namespace

Outgoing::Outgoing(std::unique_ptr<Comm> comm, std::uint64_t blockBytes)
    : comm_(std::move(comm)),
      blockBytes_(blockBytes),
      slots_(*comm_, kSlotBytes, kMostSlots),
      blocks_(*comm_, blockBytes, kMostBlocks) {}

Result<bool> Outgoing::pump() {
  bool moved = false;
  for (;;) {
    ATOLL_ASSIGN(const bool settled, settle());
    moved |= settled;
    if (underWay_.full()) return moved;
    if (!unit_.complete()) ATOLL_TRY(build());
    if (!unit_.complete()) return moved;
    ATOLL_ASSIGN(const bool launched, launch());
    if (!launched) return moved;
    moved = true;
  }
}

Result<bool> Outgoing::settle() {
  bool moved = false;
  while (!underWay_.empty()) {
    const Sending sent = underWay_.oldest();
    ATOLL_ASSIGN(const auto done, comm_->test(sent.request));
    if (!done) return moved;
    underWay_.removeOldest();
    if (sent.buffer != nullptr) sent.pool->giveBack(sent.buffer);
    if (sent.last != nullptr) sent.last->left -= sent.inLast;
    moved = true;
  }
  return moved;
}

Status Outgoing::build() {
  if (unit_.bytes == 0) {
    if (pieces.current() == nullptr) return success();
    if (headers_ < pieces.message()) {
      ATOLL_TRY(beginHeader());
    } else {
      ATOLL_TRY(beginBlock());
    }
  }
  fill();
  return success();
}

/// False, and there is no unit, while no buffer is free.
Result<bool> Outgoing::useBuffer(BufferPool& pool, std::uint64_t bytes) {
  ATOLL_ASSIGN(Buffer* const buffer, pool.borrow());
  if (buffer == nullptr) return false;
  unit_ = Unit{};
  unit_.bytes = bytes;
  unit_.data = buffer->memory.get();
  unit_.registration = buffer->registration;
  unit_.pool = &pool;
  unit_.buffer = buffer;
  return true;
}

Status Outgoing::beginHeader() {
  Header header;
  header.message = pieces.message();
  header.bytes = pieces.messageBytes();
  header.call = pieces.call();
  const bool small = header.bytes <= kInlineBytes;
  ATOLL_ASSIGN(const bool there, useBuffer(slots_, sizeof header + (small ? header.bytes : 0)));
  if (!there) return success();
  std::memcpy(unit_.buffer->memory.get(), &header, sizeof header);
  unit_.filled = sizeof header;
  ++headers_;
  if (header.bytes > 0) return success();
  unit_.last = pieces.current();
  unit_.inLast = 1;
  pieces.advance(0);
  return success();
}

Status Outgoing::beginBlock() {
  const std::uint64_t bytes = std::min(blockBytes_, pieces.messageBytes() - pieces.position());
  if (pieces.room() >= bytes) {
    if (const auto registration = comm_->registrationOf(pieces.data(), bytes)) {
      unit_ = Unit{};
      unit_.bytes = unit_.filled = unit_.inLast = bytes;
      unit_.data = pieces.data();
      unit_.registration = *registration;
      unit_.last = pieces.current();
      pieces.advance(bytes);
      return success();
    }
  }
  ATOLL_TRY(useBuffer(blocks_, bytes));
  return success();
}

void Outgoing::fill() {
  while (unit_.filled < unit_.bytes && pieces.current() != nullptr) {
    SendPiece* const piece = pieces.current();
    const std::uint64_t bytes = std::min(pieces.room(), unit_.bytes - unit_.filled);
    std::memcpy(unit_.buffer->memory.get() + unit_.filled, pieces.data(), bytes);
    unit_.filled += bytes;
    if (unit_.complete()) {
      unit_.last = piece;
      unit_.inLast = bytes;
    } else {
      piece->left -= bytes;
    }
    pieces.advance(bytes);
  }
}

Result<bool> Outgoing::launch() {
  ATOLL_ASSIGN(const Request request, comm_->send(unit_.data, unit_.bytes, unit_.registration));
  if (request == nullptr) return false;
  underWay_.add({request, unit_.pool, unit_.buffer, unit_.last, unit_.inLast});
  unit_ = Unit{};
  return true;
}

}  // namespace atl::ncclnet
