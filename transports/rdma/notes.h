// SPDX-License-Identifier: Apache-2.0
// The notes that leave one end of a link, each with word of how much this end has taken.
#pragma once

#include <cstdint>
#include <span>

#include "transports/rdma/path_group.h"

namespace atl::rdma {

class Notes {
 public:
  Notes(Worker& worker, PathGroup& paths) : worker_(worker), paths_(paths) {}

  [[nodiscard]] bool hasRoom() const { return paths_.canNote(); }

  /// All need room. The payload is read at once; so much of the piece is through when the note is with the peer.
  Status send(FragmentNote note, std::span<const std::byte> payload, SendPiece& piece, std::uint32_t through);
  Status send(GrantNote note);

  /// Another fragment has been taken. The peer is told by what leaves next, or by a note of its own once enough have
  /// gathered.
  void take() { ++taken_; }
  [[nodiscard]] bool owesCredit() const { return taken_ - told_ >= kWindow / 2; }
  Status sendCredit();

 private:
  Status post(NoteHeader& header, std::span<const std::byte> fixed, std::span<const std::byte> payload,
              Request request);

  Worker& worker_;
  PathGroup& paths_;
  std::uint64_t taken_ = 0;
  std::uint64_t told_ = 0;
};

}  // namespace atl::rdma
