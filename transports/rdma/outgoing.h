// SPDX-License-Identifier: Apache-2.0
// The sending half of an RDMA link: small messages as notes, as far as the receiver's credits go, and the parts of
// large ones to where its grants say.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "transports/link.h"
#include "transports/piece_list.h"
#include "transports/rdma/notes.h"

namespace atl::rdma {

class Outgoing {
 public:
  Outgoing(Worker& worker, PathGroup& paths, Notes& notes) : worker_(worker), paths_(paths), notes_(notes) {}
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;

  PieceList<SendPiece> pieces;

  /// Sends what credits, grants and paths allow. True if that was anything.
  Result<bool> pump();

  /// What the peer has said. An error if that cannot be.
  Status credit(std::uint64_t taken);
  Status grant(const GrantNote& grant);
  Status key(const GrantKey& key);

 private:
  /// A part of a message that the receiver has a place for.
  struct Grant {
    GrantNote note;  ///< writes that are under way refer to it: the receiver gives the place again only when all are in
    std::uint64_t written = 0;
  };
  Result<bool> sendNext();
  Result<bool> sendFragment();
  Result<bool> announce();
  Result<bool> writePart();
  [[nodiscard]] bool hasCredit() const { return next_ - credited_ < kWindow && notes_.hasRoom(); }
  [[nodiscard]] FragmentNote fragmentHere() const;

  Worker& worker_;
  PathGroup& paths_;
  Notes& notes_;
  std::uint64_t next_ = 0;       ///< number of the next fragment
  std::uint64_t credited_ = 0;   ///< fragments that the receiver has taken
  std::uint64_t announced_ = 0;  ///< the last large message of which it knows
  std::array<Grant, kGrants> grants_;
  std::uint64_t granted_ = 0;   ///< grants that have come
  std::uint64_t filled_ = 0;    ///< and those that are filled
  std::vector<GrantKey> keys_;  ///< of grants that have not come yet
};

}  // namespace atl::rdma
