// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/outgoing.h"

#include <algorithm>
#include <cstring>

#include "transports/rdma/staging.h"

namespace atl::rdma {

Result<bool> Outgoing::pump() {
  bool moved = false;
  while (pieces.current() != nullptr) {
    ATOLL_ASSIGN(const bool sent, sendNext());
    if (!sent) break;
    moved = true;
  }
  return moved;
}

Result<bool> Outgoing::sendNext() {
  if (pieces.messageBytes() <= kMostEager) return sendFragment();
  return announced_ < pieces.message() ? announce() : writePart();
}

FragmentNote Outgoing::fragmentHere() const {
  FragmentNote note;
  note.number = next_;
  note.message = pieces.message();
  note.messageBytes = pieces.messageBytes();
  note.at = pieces.position();
  if (note.at == 0) note.call = pieces.call();
  return note;
}

Result<bool> Outgoing::sendFragment() {
  if (!hasCredit()) return false;
  SendPiece& piece = *pieces.current();
  const std::uint64_t bytes = pieces.room();
  const auto through = static_cast<std::uint32_t>(piece.messageBytes == 0 ? 1 : bytes);
  ATOLL_TRY(notes_.send(fragmentHere(), {pieces.data(), bytes}, piece, through));
  ++next_;
  pieces.advance(bytes);
  return true;
}

Result<bool> Outgoing::announce() {
  if (!hasCredit()) return false;
  ++pieces.current()->left;  // the announcement has to be there too
  ATOLL_TRY(notes_.send(fragmentHere(), {}, *pieces.current(), 1));
  ++next_;
  announced_ = pieces.message();
  return true;
}

Result<bool> Outgoing::writePart() {
  if (filled_ == granted_) return false;
  Grant& grant = grants_[filled_ % kGrants];
  const GrantNote& note = grant.note;
  // One that is for another message, or thinks that this one is of another size, is of a receiver that is about to find
  // out by the announcement.
  if (note.message != pieces.message() || note.messageBytes != pieces.messageBytes()) return false;
  if (note.at + grant.written != pieces.position()) {
    return makeError(ErrorCode::remoteError, "protocol: a grant for byte {} of message {} came where byte {} is next",
                     note.at, note.message, pieces.position());
  }
  Path* const path = paths_.pathFor(note.number);
  if (path == nullptr) return false;

  std::uint64_t bytes = std::min(pieces.room(), note.bytes - grant.written);
  Request request;
  request.piece = pieces.current();
  request.grant = &note;
  request.at = grant.written;
  if (const Keys* const keys = worker_.declared().find(pieces.data(), bytes); keys != nullptr) {
    request.data = pieces.data();
    request.keys = keys;
  } else {
    if (!mayTakeChunk(worker_.chunks(), path->underWay())) return false;
    bytes = std::min(bytes, kChunkBytes);
    ATOLL_ASSIGN(Buffer* const chunk, worker_.chunks().take());
    std::memcpy(chunk->data(), pieces.data(), bytes);
    request.data = chunk->data();
    request.keys = &chunk->keys();
    request.buffer = chunk;
  }
  request.bytes = request.through = static_cast<std::uint32_t>(bytes);
  grant.written += bytes;
  if (grant.written == note.bytes) ++filled_;
  pieces.advance(bytes);
  path->send(request);
  return true;
}

// Monotonic, since notes arrive in order.
Status Outgoing::credit(std::uint64_t taken) {
  if (taken > next_ || taken < credited_) {
    return makeError(ErrorCode::remoteError, "protocol: the peer says that it has taken {} fragments, of {} sent",
                     taken, next_);
  }
  credited_ = taken;
  return success();
}

Status Outgoing::grant(const GrantNote& note) {
  if (note.number != granted_ || granted_ - filled_ == kGrants || note.bytes == 0 || note.bytes > kMostGrantBytes) {
    return makeError(ErrorCode::remoteError, "protocol: grant {} of {} bytes came where grant {} should be",
                     note.number, note.bytes, granted_);
  }
  Grant& grant = grants_[granted_++ % kGrants];
  grant = {note, 0};
  for (const GrantKey& key : keys_) {
    if (key.grant == note.number) grant.note.keys[key.device] = key.key;
  }
  std::erase_if(keys_, [&](const GrantKey& key) { return key.grant == note.number; });
  return success();
}

// It may be told again, with every queue pair that is offered. Of a grant that is over there is nothing to write.
Status Outgoing::key(const GrantKey& key) {
  if (key.grant >= granted_ + kGrants) {
    return makeError(ErrorCode::remoteError, "protocol: a key of grant {} came, {} have been given", key.grant,
                     granted_);
  }
  GrantNote& known = grants_[key.grant % kGrants].note;
  if (key.grant >= granted_) {
    std::erase_if(keys_, [&](const GrantKey& k) { return k.grant == key.grant && k.device == key.device; });
    keys_.push_back(key);
  } else if (known.number == key.grant) {
    known.keys[key.device] = key.key;
  }
  return success();
}

}  // namespace atl::rdma
