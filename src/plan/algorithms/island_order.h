// SPDX-License-Identifier: Apache-2.0
// The ranks on a circle on which those of an island are neighbours, at every level: what a ring or a chain runs along,
// so that it enters and leaves each island once, wherever the job's launcher has put its ranks.
//
// Seats are the numbers 0 … n−1 round the circle. A generator writes a lane as if seats were ranks, and
// inIslandOrder() then names the ranks that sit there. Each two shares, which run in opposite directions, have a circle
// of their own, turned within the islands, so that different shares come into an island and leave it by different
// members, and all rails between islands are used.
//
// A root is the first of its island on the circle, so that a chain from it does not come back there.
#pragma once

#include <cstdint>

#include "src/plan/algorithm.h"
#include "src/plan/hierarchy.h"

namespace atl::plan {

/// The circle of one share. Where nothing is known of islands, everybody sits on the seat of their own number.
/// Questions take O(levels) time and no memory. The request's hierarchy must outlive it.
class IslandOrder {
 public:
  IslandOrder(const PlanRequest& request, std::int32_t share);

  [[nodiscard]] Rank seatOf(Rank rank) const;
  [[nodiscard]] Rank rankAt(Rank seat) const;
  /// Whether every rank sits on the seat of its own number.
  [[nodiscard]] bool isIdentity() const { return hierarchy_ == nullptr; }

 private:
  /// How far the seats of a group's ranks are turned against their places; a number of whole members.
  [[nodiscard]] Rank shift(int level, std::int32_t group) const;

  const Hierarchy* hierarchy_;  ///< null: nothing to be known, or nothing that changes the order
  Rank root_;
  std::int32_t turn_;  ///< how often groups have been turned, by two members each time
};

/// The request as the rank on this one's seat would get it where seats are ranks.
PlanRequest seatedRequest(const PlanRequest& request, const IslandOrder& order);

/// Names ranks where `plan`, written for the request by its shares' orders, names seats: peers and, where the payload
/// has a block for each rank, blocks. Those are in no even steps then, so loops are written out. No peer may have a
/// stride.
Plan inIslandOrder(Plan plan, const PlanRequest& request);

}  // namespace atl::plan
