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

Status Notes::send(FragmentNote note, std::span<const std::byte> payload) {
  return post(note.header, bytesOf(note), payload, true);
}

Status Notes::send(GrantNote note) {
  return post(note.header, bytesOf(note), {}, false);
}

Status Notes::sendCredit() {
  NoteHeader note;
  return post(note, bytesOf(note), {}, false);
}

Status Notes::post(NoteHeader& header, std::span<const std::byte> fixed, std::span<const std::byte> payload,
                   bool isPayload) {
  ATOLL_ASSIGN(Buffer* const slot, worker_.slots().take());
  header.bytes = static_cast<std::uint32_t>(fixed.size() + payload.size());
  header.taken = told_ = taken_;
  std::memcpy(slot->data(), fixed.data(), fixed.size());
  if (!payload.empty()) std::memcpy(slot->data() + fixed.size(), payload.data(), payload.size());
  paths_.note(*slot, header.bytes, isPayload);
  return success();
}

}  // namespace atl::rdma
