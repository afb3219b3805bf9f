// SPDX-License-Identifier: Apache-2.0
// The cost model where ranks are in islands: each level's messages at the price of its links, and what crosses the
// uplinks of its members at what those carry.
//
//   time of a level = rounds·α + messages·μ + max(bytes·β of the busiest rank, bytes through the busiest uplink / its
//   rate)
//
// Bytes are dearer where streams of several senders meet at a receiver, as they do at an uplink: what a queue has no
// room for is lost and sent again, and whoever waits for the last of several waits for the unluckiest.
//
// A plan that knows nothing of islands takes the sum over the levels. A composed one (hierarchical.h) takes the sum of
// its phases, and one of several strands has the others' work done while the longest goes on; so has one of ranks that
// take turns on a core. Neither can be faster than the cores are that its ranks share.
#pragma once

#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/choice.h"
#include "src/plan/site_model.h"

namespace atl::plan {

/// Time at one level. Seconds.
struct LevelTime {
  double rounds = 0;
  double work = 0;    ///< of the busiest rank: messages and bytes
  double uplink = 0;  ///< of the busiest uplink: bytes only

  [[nodiscard]] double total() const { return rounds + (work > uplink ? work : uplink); }
};

/// A predicted time in its parts. Seconds.
struct LevelsPrice {
  std::vector<LevelTime> levels;  ///< inner to outer
  double reduced = 0;             ///< reductions and copies that belong to no level
  double seconds = 0;             ///< the whole: less than the sum where levels work at the same time
  bool shared = false;            ///< the cores that ranks share decide
  /// What the levels run, inner to outer; empty for plans that know no levels.
  std::vector<LevelAlgorithms> algorithms;

  /// The level that takes longest.
  [[nodiscard]] int bottleneck() const;
};

/// `site` has levels, and they are of the choice's ranks.
LevelsPrice priceOverLevels(const Algorithm& algorithm, const Choice& choice, const SiteModel& site);

}  // namespace atl::plan
