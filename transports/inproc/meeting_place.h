// SPDX-License-Identifier: Apache-2.0
// Where the ranks of one communicator that share a process find the mail regions they share. Off the hot path: a region
// is looked up once a link.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>

#include "src/base/result.h"
#include "src/base/types.h"
#include "transports/link.h"

namespace atl {

class MeetingPlace {
 public:
  /// The place of a communicator, made by the first rank that enters. It lasts until `ranks` have entered and left, so
  /// that what a rank sent before it left still reaches a rank that enters later.
  static std::shared_ptr<MeetingPlace> enter(std::uint64_t communicator, Rank ranks);
  static void leave(std::uint64_t communicator);

  /// Number of communicators that have a place now.
  static std::size_t places();

  /// The region of one lane between two ranks. Both ends ask once; the region lasts as long as either holds it, or
  /// until the place goes if the other end never asks.
  Result<std::shared_ptr<MailRegion>> region(Rank me, Rank peer, int lane);

 private:
  struct Waiting {
    Rank firstEnd;
    std::shared_ptr<MailRegion> region;
  };
  std::mutex mutex_;
  std::map<std::tuple<Rank, Rank, int>, Waiting>
      waiting_;  ///< by (lower, higher, lane): regions that one end has asked for
};

}  // namespace atl
