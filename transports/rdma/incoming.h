// SPDX-License-Identifier: Apache-2.0
// The receiving half of an RDMA link: puts notes into the pieces that were posted for them, and grants the sender
// places for the parts of large messages.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "transports/link.h"
#include "transports/piece_list.h"
#include "transports/rdma/notes.h"

namespace atl::rdma {

class Incoming {
 public:
  /// `me` and `peer`: for the texts of mismatches.
  Incoming(Worker& worker, Notes& notes, Rank me, Rank peer) : worker_(worker), notes_(notes), me_(me), peer_(peer) {}
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  PieceList<ReceivePiece> pieces;

  /// A fragment: the note is kept until its place is found. False: it cannot be one.
  bool hold(Buffer& note, std::uint32_t bytes);
  /// Keys on a device of grants that are open and were given before it was there.
  [[nodiscard]] std::vector<GrantKey> keysOn(std::size_t device);
  /// Bytes of a grant have come. False: that cannot be.
  bool arrive(const Arrival& arrival);

  /// Finds places for what is here, and grants places for what is to come, as far as pieces are posted. True if it
  /// found any.
  Result<bool> deliver();

  /// The pieces are no longer the link's.
  void forgetPieces();
  /// And what was granted can no longer be written to.
  void releaseBuffers();

 private:
  /// A large message that was met among the pieces and has not been announced.
  struct Opened {
    std::uint64_t message = 0;
    std::uint64_t messageBytes = 0;
    CallRecord call;
    ReceivePiece* first = nullptr;  ///< it is through only when the announcement has been found right
  };
  /// A place that the sender has been told of.
  struct Grant {
    bool open = false;
    std::uint8_t devices = 0;  ///< there were, when it was given
    Buffer* chunk = nullptr;   ///< null: it is the piece's own memory
    ReceivePiece* piece = nullptr;
    std::byte* to = nullptr;
    const Keys* keys = nullptr;  ///< of where the sender writes
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
    std::uint64_t arrived = 0;
  };
  Result<bool> step();
  Result<bool> takeFragment();
  bool open();
  Result<bool> grant();
  void close(Grant& grant);
  void release();

  Worker& worker_;
  Notes& notes_;
  Rank me_;
  Rank peer_;
  std::array<Buffer*, kWindow> held_{};  ///< a ring
  std::uint64_t next_ = 0;               ///< number of the fragment that is to find its place next
  std::uint64_t come_ = 0;               ///< fragments that have come
  std::uint64_t copied_ = 0;             ///< bytes of the next one that have their place

  std::array<Opened, kGrants> opened_;  ///< a ring
  std::uint64_t openedCount_ = 0;
  std::uint64_t announcedCount_ = 0;
  std::uint64_t lastOpened_ = 0;  ///< number of the message

  std::array<Grant, kGrants> grants_;
  std::uint64_t granted_ = 0;
  std::size_t grantsOpen_ = 0;
};

}  // namespace atl::rdma
