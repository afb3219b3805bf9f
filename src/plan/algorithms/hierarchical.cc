// SPDX-License-Identifier: Apache-2.0
// Hierarchical: an all-reduce that is composed for the islands that the ranks are in (plan/hierarchical.h). Within an
// island a slice goes straight to its owner and back, in large ones round a ring; between the outermost islands slices
// go round a ring. Where nothing is known of islands it is that ring and no more.
//
//   all-reduce of H islands of g ranks   (2 + 2(H−1)) α + 2(g−1)/g S βᵢ + 2(H−1)/(Hg) S βₒ
//
// The pipelined form runs four shares as strands of their own: some are within islands while others are between them.
// It needs four times as many messages.
#include "src/plan/hierarchical.h"

#include "src/plan/algorithms/algorithms.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

constexpr std::int32_t kStrands = 4;
/// In larger groups a rank's messages to all others at once cost more than the rounds of a ring.
constexpr std::int32_t kMostDirect = 16;

std::vector<LevelAlgorithms> algorithmsFor(const Hierarchy& hierarchy) {
  std::vector<LevelAlgorithms> levels;
  for (int level = 0; level + 1 < hierarchy.levels(); ++level) {
    const bool direct = hierarchy.mostMembers(level) <= kMostDirect;
    levels.push_back(direct ? LevelAlgorithms{&kTwoShot, &kOneShot} : LevelAlgorithms{&kRing, &kRing});
  }
  levels.push_back({&kRing, nullptr});
  return levels;
}

Plan generate(const PlanRequest& request, std::string_view name, std::int32_t strands) {
  if (request.ranks == 1) return soloPlan(request, name);
  const Hierarchy hierarchy =
      joiningLevels(request.hierarchy != nullptr ? *request.hierarchy : Hierarchy::flat(request.ranks));
  PlanRequest finer = request;
  finer.shares *= strands;
  const auto levels = algorithmsFor(hierarchy);
  auto plan = composeAllReduce(finer, hierarchy, request.levels.empty() ? levels : request.levels, name);
  if (!plan.ok() && !request.levels.empty()) plan = composeAllReduce(finer, hierarchy, levels, name);
  if (!plan.ok()) {
    // Only where the islands' sizes have no small common multiple: then as if there were none.
    plan = composeAllReduce(finer, Hierarchy::flat(request.ranks), std::span(&levels.back(), 1), name);
  }
  return std::move(plan).value();
}

bool serves(Collective collective, Rank /*ranks*/, bool ordered) {
  return collective == Collective::allReduce && !ordered;
}

/// Of the form without islands.
Cost flatCost(const CostQuery& query, double strands) {
  Cost cost = kRing.cost(query);
  cost.busiest.messages *= strands;
  cost.all.messages *= strands;
  return cost;
}

}  // namespace

const Algorithm kHierarchical{
    .name = "hierarchical",
    .summary = "reduce-scatter into islands, all-reduce between them on all ranks, all-gather",
    .serves = serves,
    .generate = [](const PlanRequest& request) { return generate(request, kHierarchical.name, 1); },
    .cost = [](const CostQuery& query) { return flatCost(query, 1); },
    .tileable = true,
    .hierarchical = true,
};

const Algorithm kHierarchicalPipelined{
    .name = "hierarchical-pipelined",
    .summary = "the same in four strands, so that islands and what joins them are busy at once",
    .serves = serves,
    .generate = [](const PlanRequest& request) { return generate(request, kHierarchicalPipelined.name, kStrands); },
    .cost = [](const CostQuery& query) { return flatCost(query, kStrands); },
    .tileable = true,
    .hierarchical = true,
};

}  // namespace atl::plan
