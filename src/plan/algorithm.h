// SPDX-License-Identifier: Apache-2.0
// An algorithm: a name, what it serves, its generator and its cost. The catalogue lists them all.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/plan/hierarchy.h"
#include "src/plan/plan.h"

namespace atl::plan {

struct Algorithm;
struct Phase;

/// What one level of a hierarchy runs in a plan that is composed for it (hierarchical.h says of which collectives).
struct LevelAlgorithms {
  const Algorithm* inward = nullptr;   ///< on the way to the outermost level; at that level all that it runs
  const Algorithm* outward = nullptr;  ///< on the way back; null at the outermost level
};

/// What a generator is asked for.
struct PlanRequest {
  Collective collective = Collective::allReduce;
  Rank ranks = 1;
  Rank rank = 0;
  Rank root = kNoRank;      ///< for rooted collectives, else kNoRank
  std::int32_t shares = 1;  ///< into how many parallel shares to divide the data (each becomes a lane, or two)
  const Hierarchy* hierarchy = nullptr;  ///< which ranks are near each other, the same on all; null: not known
  /// Hierarchical algorithms only: what each level of joiningLevels(*hierarchy) runs, inner to outer, the same on all
  /// ranks. Empty, or not what those levels can run: what the algorithm takes by itself.
  std::span<const LevelAlgorithms> levels = {};
};

/// What ranks do between their waits, in the units that a model prices.
struct Work {
  double messages = 0;  ///< messages posted or taken (μ)
  double sent = 0;      ///< bytes that leave, counted for each peer that they go to
  double posted = 0;    ///< bytes that leave, counted once, whether they go to one peer or to many
  double received = 0;  ///< bytes that come in
  double reduced = 0;   ///< bytes read as operands of reductions and of local copies (γ)
};

/// What a plan takes: rounds one after another, the work of the busiest rank, and the work of all ranks together, which
/// is what counts where they share cores. LinkModel (link_model.h) says what it is multiplied with.
struct Cost {
  double rounds = 0;   ///< latencies (α) on the critical path, pipeline fill included
  Work busiest;        ///< of the rank that does most, and what it waits for while others pass theirs on
  Work all;            ///< summed over all ranks
  double meeting = 1;  ///< most senders that meet at one receiver in a round

  /// Of a plan in which every rank does the same.
  static Cost alike(double ranks, double rounds, const Work& each, double meeting = 1) {
    const Work all{ranks * each.messages, ranks * each.sent, ranks * each.posted, ranks * each.received,
                   ranks * each.reduced};
    return {rounds, each, all, meeting};
  }
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
  /// False where unequal blocks break its all-to-alls, as where blocks of different pairs share messages.
  bool unequalBlocks = true;
  /// Composed for islands: what its plans run at each level of a hierarchy (phases.h) whose levels all join something,
  /// for a collective that it serves. `cost` is then that without islands. Null: it knows no levels.
  std::vector<Phase> (*phases)(Collective collective, const Hierarchy& hierarchy) = nullptr;
  std::int32_t strands = 1;  ///< of such a plan, of which some are at one level while others are at another
  bool leaders = false;      ///< in such a plan one rank of an island speaks for all of it

  /// Whether its plans of the collective are right for the v-form too.
  [[nodiscard]] bool servesUnequalBlocks(Collective collective) const {
    return unequalBlocks || collective != Collective::allToAll;
  }
};

/// Every algorithm, in a fixed order (ties in the chooser go to the earlier).
std::span<const Algorithm> catalogue();

/// The algorithm of that name, or null.
const Algorithm* algorithmNamed(std::string_view name);

/// Names of the algorithms that pass a test, or "none": for error texts.
std::string namesOfAlgorithms(const std::function<bool(const Algorithm&)>& passes);

}  // namespace atl::plan
