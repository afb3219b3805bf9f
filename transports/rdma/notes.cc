// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/notes.h"

#include <cstring>

namespace atl::rdma {
namespace {

template <class Note>
std::span<const std::byte> bytesOf(const Note& note) {
  return std::as_bytes(std::span(&note, 1));
}

}  // namespace

Status Notes::send(FragmentNote note, std::span<const std::byte> payload, SendPiece& piece, std::uint32_t through) {
  Request request;
  request.piece = &piece;
  request.through = through;
  return post(note.header, bytesOf(note), payload, request);
}

Status Notes::send(GrantNote note) {
  return post(note.header, bytesOf(note), {}, {});
}

Status Notes::sendCredit() {
  NoteHeader note;
  Request request;
  request.credit = true;
  return post(note, bytesOf(note), {}, request);
}

Status Notes::post(NoteHeader& header, std::span<const std::byte> fixed, std::span<const std::byte> payload,
                   Request request) {
  ATOLL_ASSIGN(Buffer* const slot, worker_.slots().take());
  header.bytes = static_cast<std::uint32_t>(fixed.size() + payload.size());
  header.taken = told_ = taken_;
  std::memcpy(slot->data(), fixed.data(), fixed.size());
  if (!payload.empty()) std::memcpy(slot->data() + fixed.size(), payload.data(), payload.size());
  request.data = slot->data();
  request.keys = &slot->keys();
  request.buffer = slot;
  request.bytes = header.bytes;
  paths_.send(request);
  return success();
}

}  // namespace atl::rdma
