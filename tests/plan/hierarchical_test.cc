// SPDX-License-Identifier: Apache-2.0
// Hierarchical plans, proved: for two and three levels, equal and unequal islands, ranks in any order.
#include "src/plan/hierarchical.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/plan/slicing.h"
#include "tests/plan/compositions.h"

namespace atl::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
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

TEST(Slicing, Leaders_OwnAllAndAreTheFirstOrTheRoot) {
  const Hierarchy hierarchy = tree({{3, 2, 4}, {2, 1}, {2}});
  const Slicing slicing(hierarchy, Division::leaders, 4);
  EXPECT_EQ(slicing.slices(0), 1);
  const std::int32_t whole[] = {0, 0};
  EXPECT_THAT(slicing.owners(1, 0, whole), ElementsAre(0, 4));
  EXPECT_THAT(slicing.owners(2, 0, whole), ElementsAre(4, 5));
  EXPECT_EQ(slicing.owned(0, 1, 0).count, 0);
  EXPECT_EQ(slicing.owned(0, 1, 1).count, 1);
}

TEST(Hierarchical, ThreeLevelsAndUnequalIslands_AreRight) {
  const std::vector<LevelAlgorithms> three = {inner("two-shot", "one-shot"), inner("ring", "ring"), outer("ring")};
  for (const auto& hierarchy : {tree({{2}, {3}, {4}}), tree({{3, 5, 1}, {2, 1}, {2}}), tree({{1}, {4}, {2}}),
                                tree({{1, 2, 3, 4}, {1, 3}, {2}})}) {
    EXPECT_EQ(fault(hierarchy, three), "");
    EXPECT_EQ(fault(hierarchy, three, {.shares = 3}), "");
  }
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
  EXPECT_EQ(algorithm.generate(request), *compose(request, tree({{4}, {2}}), levels, Division::slices, "hierarchical"));
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
