// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/incoming.h"

#include <algorithm>
#include <cstring>

#include "transports/rdma/staging.h"

namespace atl::rdma {
namespace {

FragmentNote fragmentIn(const Buffer& note) {
  FragmentNote fragment;
  std::memcpy(&fragment, note.data(), sizeof fragment);
  return fragment;
}

}  // namespace

bool Incoming::hold(Buffer& note, std::uint32_t bytes) {
  if (bytes < sizeof(FragmentNote) || come_ - next_ == kWindow || fragmentIn(note).number != come_) return false;
  held_[come_++ % kWindow] = &note;
  return true;
}

bool Incoming::arrive(const Arrival& arrival) {
  if (arrival.grant >= kGrants) return false;
  Grant& grant = grants_[arrival.grant];
  if (!grant.open || arrival.bytes > grant.bytes - grant.arrived) return false;
  grant.arrived += arrival.bytes;
  if (grant.arrived < grant.bytes) return true;
  if (grant.piece != nullptr) {
    if (grant.chunk != nullptr) std::memcpy(grant.to, grant.chunk->data(), grant.bytes);
    grant.piece->left -= grant.bytes;
  }
  close(grant);
  return true;
}

Result<bool> Incoming::deliver() {
  bool moved = false;
  for (;;) {
    ATOLL_ASSIGN(const bool stepped, step());
    if (!stepped) return moved;
    moved = true;
  }
}

Result<bool> Incoming::step() {
  if (next_ != come_) {
    ATOLL_ASSIGN(const bool taken, takeFragment());
    if (taken) return true;
  }
  if (pieces.current() == nullptr || pieces.messageBytes() <= kMostEager) return false;
  if (lastOpened_ < pieces.message()) return open();
  return grant();
}

// Messages are in order on both sides, and so the next fragment is of the first large message that has not been
// announced, if there is one, and else of the message at which the pieces are.
Result<bool> Incoming::takeFragment() {
  const FragmentNote fragment = fragmentIn(*held_[next_ % kWindow]);
  if (announcedCount_ < openedCount_) {
    const Opened& opened = opened_[announcedCount_ % opened_.size()];
    ATOLL_TRY(check(fragment, {me_, peer_, opened.message, opened.messageBytes, 0, opened.call}));
    if (opened.first != nullptr) --opened.first->left;
    ++announcedCount_;
    release();
    return true;
  }
  if (pieces.current() == nullptr || pieces.messageBytes() > kMostEager) return false;
  if (copied_ == 0) {
    ATOLL_TRY(check(fragment, {me_, peer_, pieces.message(), pieces.messageBytes(), pieces.position(), pieces.call()}));
  }
  const std::uint64_t left = fragment.header.bytes - sizeof fragment - copied_;
  const std::uint64_t bytes = std::min(pieces.room(), left);
  if (bytes > 0) std::memcpy(pieces.data(), held_[next_ % kWindow]->data() + sizeof fragment + copied_, bytes);
  ReceivePiece& piece = *pieces.current();
  piece.left -= piece.messageBytes == 0 ? 1 : bytes;
  pieces.advance(bytes);
  copied_ += bytes;
  if (bytes == left) release();
  return true;
}

void Incoming::release() {
  held_[next_++ % kWindow]->giveBack();
  copied_ = 0;
  notes_.take();
}

bool Incoming::open() {
  if (openedCount_ - announcedCount_ == opened_.size()) return false;
  opened_[openedCount_++ % opened_.size()] = {pieces.message(), pieces.messageBytes(), pieces.call(), pieces.current()};
  lastOpened_ = pieces.message();
  ++pieces.current()->left;
  return true;
}

Result<bool> Incoming::grant() {
  Grant& grant = grants_[granted_ % kGrants];
  if (grant.open || !notes_.hasRoom()) return false;
  Buffer* chunk = nullptr;
  std::uint64_t bytes = std::min(pieces.room(), kMostGrantBytes);
  const Keys* keys = worker_.declared().find(pieces.data(), bytes);
  if (keys == nullptr) {
    if (!mayTakeChunk(worker_.chunks(), grantsOpen_)) return false;
    ATOLL_ASSIGN(chunk, worker_.chunks().take());
    bytes = std::min(bytes, kChunkBytes);
    keys = &chunk->keys();
  }
  const auto devices = static_cast<std::uint8_t>(worker_.devices());
  grant = {true, devices, chunk, pieces.current(), pieces.data(), keys, granted_, bytes, 0};
  ++grantsOpen_;
  GrantNote note;
  note.number = granted_++;
  note.message = pieces.message();
  note.messageBytes = pieces.messageBytes();
  note.at = pieces.position();
  note.bytes = bytes;
  note.address = reinterpret_cast<std::uint64_t>(chunk != nullptr ? chunk->data() : pieces.data());
  note.keys = keys->remote;
  pieces.advance(bytes);
  ATOLL_TRY(notes_.send(note));
  return true;
}

std::vector<GrantKey> Incoming::keysOn(std::size_t device) {
  std::vector<GrantKey> keys;
  for (const Grant& grant : grants_) {
    if (!grant.open || device < grant.devices) continue;
    if (grant.chunk == nullptr) worker_.declared().complete(*grant.keys);
    keys.push_back({grant.number, device, grant.keys->remote[device]});
  }
  return keys;
}

void Incoming::close(Grant& grant) {
  if (grant.chunk != nullptr) grant.chunk->giveBack();
  grant = {};
  --grantsOpen_;
}

void Incoming::forgetPieces() {
  pieces.clear();
  for (Grant& grant : grants_) grant.piece = nullptr;
  for (Opened& opened : opened_) opened.first = nullptr;
}

void Incoming::releaseBuffers() {
  for (; next_ != come_; ++next_) held_[next_ % kWindow]->giveBack();
  for (Grant& grant : grants_) {
    if (grant.open) close(grant);
  }
}

}  // namespace atl::rdma
