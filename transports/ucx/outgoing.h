// SPDX-License-Identifier: Apache-2.0
// The sending half of a UCX link: cuts pieces into fragments and hands them to UCX as far as the receiver's credits go.
#pragma once

#include <array>
#include <cstdint>

#include "transports/link.h"
#include "transports/piece_list.h"
#include "transports/ucx/endpoint.h"

namespace atl::ucx {

class Outgoing {
 public:
  explicit Outgoing(Endpoint& endpoint);
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;

  /// The number of this link at the peer, before the first piece.
  void addressTo(std::uint32_t link) { link_ = link; }

  PieceList<SendPiece> pieces;

  /// Hands over what credits and slots allow. True if that was anything.
  bool pump();
  /// What the receiver says of the fragments that it has. One that knows of more than were sent lies.
  void credit(const CreditHeader& credit);
  [[nodiscard]] bool creditIsSound() const { return sound_; }

  /// Fragments that UCX has not done with.
  [[nodiscard]] int underWay() const { return underWay_; }
  /// The pieces are no longer the link's.
  void forget();

 private:
  /// A fragment under way. UCX reads the header until it has done with it.
  struct Slot {
    FragmentHeader header;
    SendPiece* piece = nullptr;
    Outgoing* owner = nullptr;
    bool busy = false;    ///< not done yet
    bool atUcx = false;   ///< UCX has not done with it
    bool failed = false;  ///< as UCX says
    bool eager = false;   ///< may be with the peer before it has been asked for
  };
  static void onSent(void* request, ucs_status_t status, void* slot);
  bool sendNext();
  void settle(Slot& slot);

  Endpoint& endpoint_;
  std::uint32_t link_ = 0;
  std::uint64_t next_ = 0;        ///< number of the next fragment
  std::uint64_t credited_ = 0;    ///< fragments that have a place at the receiver
  std::uint64_t arrived_ = 0;     ///< fragments that are there
  std::uint64_t eagerAhead_ = 0;  ///< bytes of those that have not and are eager
  bool sound_ = true;
  int underWay_ = 0;
  std::array<Slot, kWindow> slots_;
};

}  // namespace atl::ucx
