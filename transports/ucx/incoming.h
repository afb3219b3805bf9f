// SPDX-License-Identifier: Apache-2.0
// The receiving half of a UCX link: puts fragments in order and into the pieces that were posted for them.
//
// A small fragment is here when it is told of, and is copied out of UCX's memory. A large one waits at the sender, and
// UCX brings it straight into the piece, if it lies in one piece as a whole; else into a buffer of the link's, from
// where it is copied as pieces are posted. Pieces that begin and end at multiples of kBlockBytes never need that.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "transports/link.h"
#include "transports/piece_list.h"
#include "transports/ucx/endpoint.h"

namespace atl::ucx {

class Incoming {
 public:
  /// `me` and `peer`: for the texts of mismatches.
  Incoming(Endpoint& endpoint, Rank me, Rank peer);
  ~Incoming();
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  /// The number of this link at the peer, before the first credit.
  void addressTo(std::uint32_t link) { credit_.link = link; }

  PieceList<ReceivePiece> pieces;

  /// What a worker is told for this link: see Addressee.
  bool hold(const FragmentHeader& header, void* data, std::size_t bytes, bool announced);
  /// Finds places for fragments in order, as far as they are here and pieces posted. True if it found any.
  Result<bool> deliver();
  /// Gives the sender credits, if enough have gathered, and confirms what it wants to be confirmed.
  void sendCredits();
  /// Whether credits are still to leave: they need this end's progress.
  [[nodiscard]] bool crediting() const { return crediting_ || (confirming_ && endpoint_.failure() == UCS_OK); }

  /// Receives and credits that UCX has not done with.
  [[nodiscard]] int underWay() const { return underWay_; }
  /// The pieces are no longer the link's, and what it holds goes back to UCX.
  void forget();

 private:
  /// A fragment that is here, or announced, and has not found its place.
  struct Held {
    FragmentHeader header;
    std::byte* data = nullptr;  ///< null: the slot is free
    bool announced = false;
  };
  /// One that is under way into memory of this process.
  struct Arrival {
    Incoming* owner = nullptr;
    ReceivePiece* piece = nullptr;  ///< null: into the buffer
    std::uint64_t number = 0;       ///< of the fragment
    std::uint64_t bytes = 0;
    bool busy = false;
  };
  static void onReceived(void* request, ucs_status_t status, std::size_t bytes, void* arrival);
  static void onCreditSent(void* request, ucs_status_t status, void* self);
  bool deliverHere(Held& held);
  bool deliverAnnounced(Held& held);
  bool deliverBuffered();
  bool receive(Held& held, Arrival& arrival, void* to, ReceivePiece* piece);
  void finish(Arrival& arrival);
  void give(std::uint64_t bytes);
  void takeNext(Held& held);
  void countArrived();

  Endpoint& endpoint_;
  Rank me_;
  Rank peer_;
  std::uint64_t next_ = 0;  ///< number of the fragment that is to find its place next
  std::array<Held, kWindow> held_;
  std::array<Arrival, kWindow> arrivals_;
  std::uint64_t copied_ = 0;  ///< bytes of the present fragment, here or in the buffer, that are where they should be

  std::unique_ptr<std::byte[]> buffer_;  ///< of kBlockBytes; made when first needed
  Arrival buffering_;
  std::uint64_t buffered_ = 0;  ///< bytes in the buffer

  std::array<bool, kWindow> confirm_{};  ///< of fragments that have found a place: to be confirmed
  std::uint64_t arrived_ = 0;            ///< fragments that are there, as are all before them
  bool confirming_ = false;              ///< some of them are to be confirmed
  CreditHeader credit_;                  ///< the last sent
  bool crediting_ = false;
  std::uint64_t eagerTaken_ = 0;  ///< bytes of small fragments that have found a place since then
  bool malformed_ = false;        ///< a fragment came that cannot be
  bool lost_ = false;             ///< one could not be received: nothing behind it has a place
  int underWay_ = 0;
};

}  // namespace atl::ucx
