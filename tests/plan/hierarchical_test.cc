// SPDX-License-Identifier: Apache-2.0
// Hierarchical plans, proved: for two and three levels, equal and unequal islands, ranks in any order.
#include "src/plan/hierarchical.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "src/plan/slicing.h"
#include "src/plan/verify.h"

namespace atl::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Members = Hierarchy::Members;

Hierarchy tree(const std::vector<Members>& levels, std::vector<Rank> rankAt = {}) {
  auto made = Hierarchy::make(levels, std::move(rankAt));
  EXPECT_TRUE(made.ok()) << made.error().text;
  return std::move(made).value();
}

LevelAlgorithms inner(const char* inward, const char* outward) {
  return {algorithmNamed(inward), algorithmNamed(outward)};
}
LevelAlgorithms outer(const char* name) {
  return {algorithmNamed(name), nullptr};
}

Result<Plan> planOf(const Hierarchy& hierarchy, const std::vector<LevelAlgorithms>& levels, Rank rank,
                    std::int32_t shares = 1) {
  PlanRequest request;
  request.ranks = hierarchy.ranks();
  request.rank = rank;
  request.shares = shares;
  return composeAllReduce(request, hierarchy, levels, "hierarchical");
}

/// Proves the family; the text of the error, or nothing.
std::string fault(const Hierarchy& hierarchy, const std::vector<LevelAlgorithms>& levels, bool inPlace,
                  std::int32_t shares = 1) {
  std::vector<Plan> plans;
  for (Rank rank = 0; rank < hierarchy.ranks(); ++rank) {
    auto plan = planOf(hierarchy, levels, rank, shares);
    if (!plan.ok()) return plan.error().text;
    plans.push_back(std::move(plan).value());
  }
  VerifyOptions options;
  options.inPlace = inPlace;
  const auto proof = verify(plans, options);
  return proof.ok() ? "" : proof.error().text;
}

/// Every algorithm of the catalogue that a level may run for `members` ranks.
std::vector<const Algorithm*> serving(Collective collective, const char* except) {
  std::vector<const Algorithm*> all;
  for (const Algorithm& algorithm : catalogue()) {
    if (algorithm.serves(collective, 2, false) && algorithm.name != except) all.push_back(&algorithm);
  }
  return all;
}

TEST(Slicing, EqualIslands_OwnOneSliceEach) {
  const Hierarchy hierarchy = tree({{4}, {3}});
  const Slicing slicing(hierarchy);
  EXPECT_EQ(slicing.slices(0), 4);
  EXPECT_EQ(slicing.slices(1), 1);
  const std::int32_t third[] = {2};
  EXPECT_THAT(slicing.owners(1, 0, third), ElementsAre(2, 6, 10));
}

TEST(Slicing, SmallerIslands_OwnRuns) {
  const Hierarchy hierarchy = tree({{5, 3, 1}, {3}});
  const Slicing slicing(hierarchy);
  EXPECT_EQ(slicing.slices(0), 5);
  std::vector<std::int32_t> counts;
  for (std::int32_t member = 0; member < 3; ++member) counts.push_back(slicing.owned(0, 1, member).count);
  EXPECT_THAT(counts, ElementsAre(1, 2, 2));
  std::vector<std::vector<Rank>> owners;
  for (std::int32_t slice = 0; slice < 5; ++slice) owners.push_back(slicing.owners(1, 0, std::span(&slice, 1)));
  EXPECT_THAT(owners, ElementsAre(ElementsAre(0, 5, 8), ElementsAre(1, 6, 8), ElementsAre(2, 6, 8),
                                  ElementsAre(3, 7, 8), ElementsAre(4, 7, 8)));
}

TEST(Hierarchical, TwoEqualLevels_AreRightForEveryAlgorithmThatFits) {
  int proved = 0;
  for (const Algorithm* const inward : serving(Collective::reduceScatter, "")) {
    for (const Algorithm* const outward : serving(Collective::allGather, "")) {
      for (const Algorithm* const top : serving(Collective::allReduce, "")) {
        const std::vector<LevelAlgorithms> levels = {{inward, outward}, {top, nullptr}};
        for (const auto& [ranks, islands] : {std::pair{2, 2}, {4, 4}, {3, 5}}) {
          const Hierarchy hierarchy = tree({{ranks}, {islands}});
          if (!planOf(hierarchy, levels, 0).ok()) continue;  // a power of two wanted, or lanes of its own
          for (const bool inPlace : {false, true}) {
            if (inPlace && !safeInPlace(planOf(hierarchy, levels, 0).value())) continue;
            ASSERT_EQ(fault(hierarchy, levels, inPlace), "")
                << inward->name << "/" << outward->name << "," << top->name << " on " << islands << " of " << ranks;
            ++proved;
          }
        }
      }
    }
  }
  EXPECT_GT(proved, 400);
}

TEST(Hierarchical, ThreeLevelsAndUnequalIslands_AreRight) {
  const std::vector<LevelAlgorithms> three = {inner("two-shot", "one-shot"), inner("ring", "ring"), outer("ring")};
  for (const auto& hierarchy : {tree({{2}, {3}, {4}}), tree({{3, 5, 1}, {2, 1}, {2}}), tree({{1}, {4}, {2}}),
                                tree({{1, 2, 3, 4}, {1, 3}, {2}})}) {
    EXPECT_EQ(fault(hierarchy, three, false), "");
    EXPECT_EQ(fault(hierarchy, three, true), "");
    EXPECT_EQ(fault(hierarchy, three, false, 3), "");
  }
}

TEST(Hierarchical, RandomHierarchies_AreRight) {
  std::mt19937 random(1);
  const auto between = [&](int least, int most) { return std::uniform_int_distribution(least, most)(random); };
  for (int sample = 0; sample < 300; ++sample) {
    std::vector<Members> levels;
    std::int32_t groups = 1;
    std::vector<std::int32_t> sizes;
    const int depth = between(2, 4);
    // Outer to inner, as long as there are no more than 64 ranks.
    for (int level = depth - 1; level >= 0; --level) {
      Members members;
      std::int32_t room = 64 / groups;
      for (std::int32_t group = 0; group < groups; ++group) {
        members.push_back(between(level == depth - 1 ? 2 : 1, std::max(level == depth - 1 ? 2 : 1, std::min(room, 5))));
      }
      groups = std::accumulate(members.begin(), members.end(), 0);
      levels.insert(levels.begin(), members);
    }
    std::vector<Rank> rankAt(static_cast<std::size_t>(groups));
    std::iota(rankAt.begin(), rankAt.end(), 0);
    if (between(0, 1) == 1) std::ranges::shuffle(rankAt, random);
    const Hierarchy hierarchy = tree(levels, rankAt);
    const LevelAlgorithms choices[] = {inner("two-shot", "one-shot"), inner("ring", "ring")};
    std::vector<LevelAlgorithms> algorithms;
    for (int level = 0; level + 1 < depth; ++level) algorithms.push_back(choices[between(0, 1)]);
    const char* const tops[] = {"ring", "two-shot", "one-shot"};
    algorithms.push_back(outer(tops[between(0, 2)]));
    ASSERT_EQ(fault(hierarchy, algorithms, sample % 2 == 1, between(1, 2)), "") << fmt::format("{}", levels);
  }
}

TEST(Hierarchical, AnIslandSendsOnlyItsPartOfThePayload) {
  const Hierarchy hierarchy = tree({{4}, {8}});
  const auto plan = planOf(hierarchy, {inner("ring", "ring"), outer("ring")}, 5);
  ASSERT_TRUE(plan.ok()) << plan.error().text;
  double crossing = 0;  // of the payload, what rank 5 sends to other islands
  for (const Loop& loop : plan->lanes.front().loops) {
    for (const Round& round : loop.rounds) {
      for (const Step& step : round.steps) {
        for (const Peer& peer : step.to) {
          if (peer.rank / 4 != 1) crossing += loop.repeat * static_cast<double>(step.chunk.span) / step.chunk.parts;
        }
      }
    }
  }
  EXPECT_DOUBLE_EQ(4 * crossing, 2 * 7 / 8.0);
}

TEST(Hierarchical, APlanOfAHundredThousandRanks_IsSmall) {
  const Hierarchy hierarchy = tree({{8}, {32}, {400}});
  const auto plan = planOf(hierarchy, {inner("two-shot", "one-shot"), inner("ring", "ring"), outer("ring")}, 77'777);
  ASSERT_TRUE(plan.ok()) << plan.error().text;
  std::size_t steps = 0;
  for (const Loop& loop : plan->lanes.front().loops) {
    for (const Round& round : loop.rounds) steps += round.steps.size();
  }
  EXPECT_LT(steps, 4 * (8 + 32 + 400));
}

TEST(Hierarchical, FamiliesOfDifferentTrees_AreTold) {
  const std::vector<LevelAlgorithms> levels = {inner("ring", "ring"), outer("ring")};
  const auto hash = [&](const Hierarchy& hierarchy) { return planOf(hierarchy, levels, 0)->familyHash; };
  EXPECT_NE(hash(tree({{4}, {2}})), hash(tree({{2}, {4}})));
  EXPECT_NE(hash(tree({{4}, {2}})), hash(tree({{4}, {2}}, {0, 2, 4, 6, 1, 3, 5, 7})));
  EXPECT_EQ(hash(tree({{4}, {2}})), hash(tree({{4}, {2}})));
  const auto other = planOf(tree({{4}, {2}}), {inner("two-shot", "ring"), outer("ring")}, 0);
  EXPECT_NE(hash(tree({{4}, {2}})), other->familyHash);
}

TEST(Hierarchical, LevelAlgorithms_AreTakenFromTheRequest) {
  const Hierarchy hierarchy = tree({{4}, {1}, {2}});  // the middle level joins nothing
  EXPECT_EQ(joiningLevels(hierarchy), tree({{4}, {2}}));
  PlanRequest request;
  request.ranks = 8;
  request.hierarchy = &hierarchy;
  const Algorithm& algorithm = *algorithmNamed("hierarchical");
  const std::uint64_t byItself = algorithm.generate(request).familyHash;
  const std::vector<LevelAlgorithms> levels = {inner("ring", "ring"), outer("recursive-doubling")};
  request.levels = levels;
  EXPECT_EQ(algorithm.generate(request), *composeAllReduce(request, tree({{4}, {2}}), levels, "hierarchical"));
  const std::vector<LevelAlgorithms> unfit = {inner("chain", "ring"), outer("ring")};
  request.levels = unfit;
  EXPECT_EQ(algorithm.generate(request).familyHash, byItself);
}

TEST(Hierarchical, WhatCannotBe_SaysWhy) {
  const auto error = [](const Hierarchy& hierarchy, const std::vector<LevelAlgorithms>& levels) {
    const auto plan = planOf(hierarchy, levels, 0);
    return plan.ok() ? "" : plan.error().text;
  };
  EXPECT_THAT(error(tree({{2}, {3}}), {outer("ring")}), HasSubstr("2 levels does not fit a request for 6 ranks and 1"));
  EXPECT_THAT(error(tree({{4}, {1}}), {inner("ring", "ring"), outer("ring")}), HasSubstr("joins nothing"));
  EXPECT_THAT(error(tree({{3}, {2}}), {inner("chain", "ring"), outer("ring")}),
              HasSubstr("level 0 cannot run reducescatter by 'chain' for 3 ranks: it does not serve that"));
  EXPECT_THAT(error(tree({{2}, {2}}), {inner("ring", "ring"), outer("double-binary-tree")}),
              HasSubstr("lanes beyond its shares"));
}

}  // namespace
}  // namespace atl::plan
