// SPDX-License-Identifier: Apache-2.0
// An algorithm: a name, what it serves, its generator and its cost. The catalogue lists them all.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "src/plan/plan.h"

namespace atl::plan {

/// What a generator is asked for.
struct PlanRequest {
  Collective collective = Collective::allReduce;
  Rank ranks = 1;
  Rank rank = 0;
  Rank root = kNoRank;      ///< for rooted collectives, else kNoRank
  std::int32_t shares = 1;  ///< into how many parallel shares to divide the data (each becomes a lane, or two)
};

/// What one rank does, in the units that a model prices: the busiest rank's figures on the critical path.
/// time = rounds·α + messages·μ + bytes·β + reduced·γ
struct Cost {
  double rounds = 0;    ///< latencies (α) on the critical path, pipeline fill included
  double messages = 0;  ///< messages posted or taken by the busiest rank (μ: per-message overhead)
  double bytes = 0;     ///< bytes through the busiest rank's link, the larger of sent and received (β), and those that
                        ///< it waits for while others pass theirs on (pipeline fill)
  double reduced = 0;   ///< bytes that the busiest rank reads as operands of reductions and of local copies (γ)
};

/// What a cost depends on. `bytes` is the payload: nccl-tests' "size" (the larger of a rank's send and receive).
struct CostQuery {
  Collective collective = Collective::allReduce;
  Rank ranks = 1;
  double bytes = 0;
  double tiles = 1;  ///< passes into which the executor would cut the payload (1 where the plan is not tileable)
};

/// One entry of the catalogue. Free functions, no state: the same request gives the same plan on every rank.
/// generate and cost may be called only for what `serves` says yes to.
struct Algorithm {
  std::string_view name;     ///< "ring"
  std::string_view summary;  ///< one line for people
  /// Whether it serves this collective on this many ranks, and if asked (`ordered`) reduces in rank order.
  bool (*serves)(Collective collective, Rank ranks, bool ordered);
  Plan (*generate)(const PlanRequest& request);
  Cost (*cost)(const CostQuery& query);
  bool tileable = false;  ///< its plans are Plan::tileable
  /// False where unequal blocks (the v-forms) break it, as where blocks are shuffled through scratch.
  bool unequalBlocks = true;
};

/// Every algorithm, in a fixed order (ties in the chooser go to the earlier).
std::span<const Algorithm> catalogue();

/// The algorithm of that name, or null.
const Algorithm* algorithmNamed(std::string_view name);

}  // namespace atl::plan
