// SPDX-License-Identifier: Apache-2.0
// Composed plans, for the tests of compositions.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "src/plan/hierarchical.h"
#include "src/plan/verify.h"

namespace atl::plan {

using Members = Hierarchy::Members;

inline Hierarchy tree(const std::vector<Members>& levels, std::vector<Rank> rankAt = {}) {
  auto made = Hierarchy::make(levels, std::move(rankAt));
  EXPECT_TRUE(made.ok()) << made.error().text;
  return std::move(made).value();
}

inline LevelAlgorithms inner(const char* inward, const char* outward) {
  return {algorithmNamed(inward), algorithmNamed(outward)};
}
inline LevelAlgorithms outer(const char* name) {
  return {algorithmNamed(name), nullptr};
}

/// What to compose.
struct Wanted {
  Collective collective = Collective::allReduce;
  Division division = Division::slices;
  Rank root = kNoRank;
  std::int32_t shares = 1;
};

inline Result<Plan> planOf(const Hierarchy& hierarchy, const std::vector<LevelAlgorithms>& levels, Rank rank,
                           const Wanted& wanted = {}) {
  PlanRequest request;
  request.collective = wanted.collective;
  request.ranks = hierarchy.ranks();
  request.rank = rank;
  request.root = wanted.root;
  request.shares = wanted.shares;
  return compose(request, hierarchy, levels, wanted.division, "hierarchical");
}

/// Proves the family, in place too where every rank says that it is safe; the text of the error, or nothing.
inline std::string fault(const Hierarchy& hierarchy, const std::vector<LevelAlgorithms>& levels,
                         const Wanted& wanted = {}) {
  std::vector<Plan> plans;
  for (Rank rank = 0; rank < hierarchy.ranks(); ++rank) {
    auto plan = planOf(hierarchy, levels, rank, wanted);
    if (!plan.ok()) return plan.error().text;
    plans.push_back(std::move(plan).value());
  }
  VerifyOptions options;
  options.unequalBlocks = wanted.collective != Collective::allToAll;
  const auto proof = verify(plans, options);
  if (!proof.ok()) return proof.error().text;
  options.inPlace = true;
  const auto inPlace = verify(plans, options);
  const bool safe = std::ranges::all_of(plans, safeInPlace);
  if (safe != inPlace.ok()) return safe ? inPlace.error().text : "sound in place, though a rank says that it is not";
  return "";
}

}  // namespace atl::plan
