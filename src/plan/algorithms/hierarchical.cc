// SPDX-License-Identifier: Apache-2.0
// Hierarchical: collectives that are composed for the islands that the ranks are in (plan/hierarchical.h). Within an
// island a slice goes straight to its owner and back, in large ones round a ring; between the outermost islands slices
// go round a ring or along a chain. Where nothing is known of islands it is that ring or chain and no more. With H
// islands of g ranks:
//
//   all-reduce       (2 + 2(H−1)) α + 2(g−1)/g S βᵢ + 2(H−1)/(Hg) S βₒ
//   reduce-scatter,
//   all-gather       (1 + (H−1)) α + (g−1)/g S βᵢ + (H−1)/(Hg) S βₒ
//   broadcast,reduce (2 + (H−1)) α + 2(g−1)/g S βᵢ + S/g βₒ
//   all-to-all       2 α + (g−1) μᵢ + (H−1) μₒ + (g−1)/g S βᵢ + (H−1)/H S βₒ
//
// The pipelined form runs four shares as strands of their own: some are within islands while others are between them.
// It needs four times as many messages.
//
// The form with leaders cuts nothing: each island's leader speaks for it, so that one message is enough where slices
// take g. For small payloads.
#include "src/plan/hierarchical.h"

#include "src/plan/algorithms/algorithms.h"
#include "src/plan/builder.h"
#include "src/plan/phases.h"

namespace atl::plan {
namespace {

constexpr std::int32_t kStrands = 4;
/// In larger groups a rank's messages to all others at once cost more than more rounds.
constexpr std::int32_t kMostDirect = 16;
/// The same between islands, where messages cost more.
constexpr std::int32_t kMostDirectBetween = 8;

/// What runs `collective` within islands, as a stage of `whole`.
const Algorithm& innerAlgorithm(Collective collective, Rank members, Collective whole) {
  const bool direct = members <= kMostDirect;
  switch (collective) {
    case Collective::reduceScatter: return direct ? kTwoShot : kRing;
    case Collective::allGather: return direct ? kOneShot : kRing;
    case Collective::reduce:
    case Collective::broadcast: return direct ? kOneShot : kBinomial;
    case Collective::allToAll: return direct ? kDirect : kPairwise;
    default: return direct || whole == Collective::allToAll ? kDirect : kBinomial;  // scatter, gather
  }
}

/// Between the outermost islands, for much data.
const Algorithm& outerAlgorithm(Collective collective, Rank members) {
  switch (collective) {
    case Collective::broadcast:
    case Collective::reduce: return kChain;
    case Collective::allToAll: return members <= kMostDirectBetween ? kDirect : kPairwise;
    default: return kRing;
  }
}

/// Between their leaders, for little.
const Algorithm& leadersAlgorithm(Collective collective, Rank members) {
  if (collective == Collective::allToAll) return outerAlgorithm(collective, members);
  if (collective == Collective::broadcast || collective == Collective::reduce) return kBinomial;
  if (members > kMostDirectBetween) return kCirculant;
  return collective == Collective::reduceScatter ? kTwoShot : kOneShot;
}

const Algorithm& outermostAlgorithm(Collective collective, Rank members, Division division) {
  return division == Division::slices ? outerAlgorithm(collective, members) : leadersAlgorithm(collective, members);
}

std::vector<LevelAlgorithms> algorithmsFor(Collective collective, const Hierarchy& hierarchy, Division division) {
  const int outermost = hierarchy.levels() - 1;
  const LevelCollectives inner = levelCollectives(collective, division, false);
  std::vector<LevelAlgorithms> levels;
  for (int level = 0; level < outermost; ++level) {
    const Rank most = hierarchy.mostMembers(level);
    LevelAlgorithms algorithms;
    if (inner.inward) algorithms.inward = &innerAlgorithm(*inner.inward, most, collective);
    if (inner.outward) algorithms.outward = &innerAlgorithm(*inner.outward, most, collective);
    levels.push_back(algorithms);
  }
  levels.push_back({&outermostAlgorithm(collective, hierarchy.mostMembers(outermost), division), nullptr});
  return levels;
}

Plan generate(const PlanRequest& request, std::string_view name, Division division, std::int32_t strands) {
  if (request.ranks == 1) return soloPlan(request, name);
  const Hierarchy hierarchy =
      joiningLevels(request.hierarchy != nullptr ? *request.hierarchy : Hierarchy::flat(request.ranks));
  PlanRequest finer = request;
  finer.shares *= strands;
  const auto levels = algorithmsFor(request.collective, hierarchy, division);
  auto plan = compose(finer, hierarchy, request.levels.empty() ? levels : request.levels, division, name);
  if (!plan.ok() && !request.levels.empty()) plan = compose(finer, hierarchy, levels, division, name);
  if (!plan.ok()) {
    // Only where the islands' sizes have no small common multiple: then as if there were none.
    const Hierarchy flat = Hierarchy::flat(request.ranks);
    plan = compose(finer, flat, algorithmsFor(request.collective, flat, division), division, name);
  }
  return std::move(plan).value();
}

bool serves(Collective collective, Rank /*ranks*/, bool ordered) {
  return composes(collective) && !(ordered && isReducing(collective));
}

/// Of the form without islands.
Cost flatCost(const CostQuery& query, Division division, double strands) {
  Cost cost = outermostAlgorithm(query.collective, query.ranks, division).cost(query);
  if (query.collective == Collective::allToAll) {  // whose algorithms know no tiles
    cost.rounds *= query.tiles;
    strands *= query.tiles;
  }
  cost.busiest.messages *= strands;
  cost.all.messages *= strands;
  return cost;
}

}  // namespace

const Algorithm kHierarchical{
    .name = "hierarchical",
    .summary = "in slices: within islands to their owners, between islands on all ranks, and back",
    .serves = serves,
    .generate = [](const PlanRequest& request) { return generate(request, kHierarchical.name, Division::slices, 1); },
    .cost = [](const CostQuery& query) { return flatCost(query, Division::slices, 1); },
    .tileable = true,
    .unequalBlocks = false,
    .phases = [](Collective collective,
                 const Hierarchy& hierarchy) { return phasesOf(collective, hierarchy, Division::slices); },
};

const Algorithm kHierarchicalPipelined{
    .name = "hierarchical-pipelined",
    .summary = "the same in four strands, so that islands and what joins them are busy at once",
    .serves = serves,
    .generate =
        [](const PlanRequest& request) {
          return generate(request, kHierarchicalPipelined.name, Division::slices, kStrands);
        },
    .cost = [](const CostQuery& query) { return flatCost(query, Division::slices, kStrands); },
    .tileable = true,
    .unequalBlocks = false,
    .phases = [](Collective collective,
                 const Hierarchy& hierarchy) { return phasesOf(collective, hierarchy, Division::slices); },
    .strands = kStrands,
};

const Algorithm kHierarchicalLeader{
    .name = "hierarchical-leader",
    .summary = "one rank of each island speaks for it: the fewest messages between islands",
    .serves = serves,
    .generate =
        [](const PlanRequest& request) { return generate(request, kHierarchicalLeader.name, Division::leaders, 1); },
    .cost = [](const CostQuery& query) { return flatCost(query, Division::leaders, 1); },
    .unequalBlocks = false,
    .phases = [](Collective collective,
                 const Hierarchy& hierarchy) { return phasesOf(collective, hierarchy, Division::leaders); },
    .leaders = true,
};

}  // namespace atl::plan
