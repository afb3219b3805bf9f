// SPDX-License-Identifier: Apache-2.0
// The tree of groups: what it says of ranks, groups and members agrees with a tree written out in full.
#include "src/plan/hierarchy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

namespace atl::plan {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Members = Hierarchy::Members;

Hierarchy made(std::vector<Members> levels, std::vector<Rank> rankAt = {}) {
  auto result = Hierarchy::make(levels, std::move(rankAt));
  EXPECT_TRUE(result.ok()) << result.error().text;
  return result.ok() ? std::move(result).value() : Hierarchy::flat(1);
}

std::vector<Rank> listOf(const GroupRanks& ranks) {
  std::vector<Rank> list;
  for (const Rank r : ranks) list.push_back(r);
  return list;
}

std::string refusal(std::vector<Members> levels, std::vector<Rank> rankAt = {}) {
  const auto result = Hierarchy::make(levels, std::move(rankAt));
  return result.ok() ? "no error" : result.error().text;
}

/// What must hold of any tree, whatever it was made from.
void expectSound(const Hierarchy& tree) {
  const int outermost = tree.levels() - 1;
  EXPECT_EQ(tree.groups(outermost), 1);
  for (int l = 0; l < tree.levels(); ++l) {
    std::set<Rank> seen;
    std::set<Rank> sizes;
    std::int32_t nextMember = 0;
    for (std::int32_t g = 0; g < tree.groups(l); ++g) {
      const GroupRanks ranks = tree.ranksOf(l, g);
      sizes.insert(ranks.size());
      EXPECT_EQ(tree.firstMember(l, g), nextMember);
      nextMember += tree.members(l, g);
      for (Rank i = 0; i < ranks.size(); ++i) {
        const Rank r = ranks[i];
        EXPECT_TRUE(seen.insert(r).second);
        EXPECT_EQ(tree.groupOf(l, r), g);
        EXPECT_EQ(tree.indexIn(l, r), i);
        const std::int32_t member = l == 0 ? tree.placeOf(r) : tree.groupOf(l - 1, r);
        EXPECT_EQ(tree.firstMember(l, g) + tree.memberOf(l, r), member);
      }
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(tree.ranks()));
    EXPECT_EQ(tree.equalRanks(l), sizes.size() == 1);
    EXPECT_EQ(nextMember, l == 0 ? tree.ranks() : tree.groups(l - 1));
  }
}

TEST(Hierarchy, Regular_AnswersByDivision) {
  const Hierarchy tree = made({{4}, {3}, {2}});
  expectSound(tree);
  EXPECT_EQ(tree.ranks(), 24);
  EXPECT_EQ(tree.groups(0), 6);
  EXPECT_EQ(tree.groupOf(1, 13), 1);
  EXPECT_EQ(tree.indexIn(1, 13), 1);
  EXPECT_EQ(tree.memberOf(2, 13), 1);
  EXPECT_EQ(tree.commonLevel(0, 3), 0);
  EXPECT_EQ(tree.commonLevel(0, 4), 1);
  EXPECT_EQ(tree.commonLevel(0, 23), 2);
  EXPECT_THAT(listOf(tree.ranksOf(0, 2)), ElementsAre(8, 9, 10, 11));
}

TEST(Hierarchy, UnequalIslands_OneOfThemASingleRank) {
  const Hierarchy tree = made({{3, 5, 1}, {3}});
  expectSound(tree);
  EXPECT_FALSE(tree.equalRanks(0));
  EXPECT_FALSE(tree.equalMembers(0));
  EXPECT_TRUE(tree.equalMembers(1));
  EXPECT_THAT(listOf(tree.ranksOf(0, 1)), ElementsAre(3, 4, 5, 6, 7));
  EXPECT_THAT(listOf(tree.ranksOf(0, 2)), ElementsAre(8));
}

TEST(Hierarchy, UnequalMembersOfEqualSize_AreEqualInRanks) {
  const Hierarchy tree = made({{2, 2, 4}, {2, 1}, {2}});
  expectSound(tree);
  EXPECT_FALSE(tree.equalRanks(0));
  EXPECT_TRUE(tree.equalRanks(1));
  EXPECT_FALSE(tree.equalMembers(1));
}

TEST(Hierarchy, RanksDealtToIslandsInTurn) {
  const Hierarchy tree = made({{3}, {2}}, {0, 2, 4, 1, 3, 5});
  expectSound(tree);
  EXPECT_THAT(listOf(tree.ranksOf(0, 1)), ElementsAre(1, 3, 5));
  EXPECT_EQ(tree.groupOf(0, 3), 1);
  EXPECT_EQ(tree.indexIn(0, 3), 1);
}

TEST(Hierarchy, ListsOfEqualNumbers_AreTheSameValueAsOneNumber) {
  EXPECT_EQ(made({{2, 2, 2}, {3}}), made({{2}, {3}}));
  EXPECT_EQ(made({{2}, {2}}, {0, 1, 2, 3}), made({{2}, {2}}));
}

TEST(Hierarchy, WrongShapes_AreRefusedWithLevelAndValue) {
  EXPECT_THAT(refusal({}), HasSubstr("there are 0 levels"));
  EXPECT_THAT(refusal(std::vector<Members>(17, Members{1})), HasSubstr("there are 17 levels; 1 to 16"));
  EXPECT_THAT(refusal({{2, 2}, {3}}), HasSubstr("level 0 has 3 groups, but numbers of members for 2"));
  EXPECT_THAT(refusal({{2, 0, 2}, {3}}), HasSubstr("level 0 has a group of 0 members"));
  EXPECT_THAT(refusal({{5000}, {5000}}), HasSubstr("level 0 has 25000000 members; at most 16777216"));
  EXPECT_THAT(refusal({{2, 3}}), HasSubstr("level 0 has 1 groups"));
}

TEST(Hierarchy, WrongPlacements_AreRefusedWithTheRank) {
  EXPECT_THAT(refusal({{3}}, {0, 1}), HasSubstr("2 ranks are placed, but there are places for 3"));
  EXPECT_THAT(refusal({{3}}, {0, 1, 3}), HasSubstr("rank 3 is placed; ranks are 0 to 2"));
  EXPECT_THAT(refusal({{3}}, {0, 2, 2}), HasSubstr("rank 2 is placed twice"));
}

TEST(Hierarchy, FromGroups_OrdersGroupsByTheirLowestRanks) {
  // Hosts 7 and 9 in pod 1, host 7 of pod 0 is another one.
  const std::vector<std::vector<std::uint32_t>> groupOf = {{9, 7, 7, 9, 7}, {1, 0, 1, 1, 0}};
  const Hierarchy tree = Hierarchy::fromGroups(groupOf, 5);
  expectSound(tree);
  ASSERT_EQ(tree.groups(1), 2);
  EXPECT_THAT(listOf(tree.ranksOf(1, 0)), ElementsAre(0, 3, 2));
  EXPECT_THAT(listOf(tree.ranksOf(0, 1)), ElementsAre(2));
  EXPECT_THAT(listOf(tree.ranksOf(1, 1)), ElementsAre(1, 4));
}

TEST(Hierarchy, Subset_KeepsPlacesAndDropsEmptyGroups) {
  const Hierarchy tree = made({{2}, {2}, {2}});
  const std::vector<Rank> chosen = {7, 6, 0};
  const Hierarchy part = tree.subset(chosen);
  expectSound(part);
  EXPECT_EQ(part.levels(), 3);
  EXPECT_EQ(part.groups(0), 2);
  EXPECT_THAT(listOf(part.ranksOf(0, 0)), ElementsAre(2));
  EXPECT_THAT(listOf(part.ranksOf(0, 1)), ElementsAre(1, 0));
}

TEST(Hierarchy, Without_HandsMembersToTheNextLevel) {
  const Hierarchy tree = made({{3, 5, 1, 2}, {2}, {2}});
  EXPECT_EQ(tree.without(1), made({{3, 5, 1, 2}, {4}}));
  EXPECT_EQ(tree.without(0), made({{8, 3}, {2}}));
  const Hierarchy alone = made({{4}, {1}});
  EXPECT_FALSE(alone.joins(1));
  EXPECT_TRUE(alone.joins(0));
  EXPECT_EQ(alone.without(1), made({{4}}));
}

TEST(Hierarchy, RandomTrees_AreSoundAndComeBackFromTheirGroups) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 300; ++trial) {
    const int levels = 1 + static_cast<int>(random() % 4);
    std::vector<Members> members;
    std::int32_t groups = 1;
    for (int l = levels; l-- > 0;) {
      Members counts;
      for (std::int32_t g = 0; g < groups; ++g) counts.push_back(1 + static_cast<std::int32_t>(random() % 4));
      groups = std::accumulate(counts.begin(), counts.end(), 0);
      members.insert(members.begin(), counts);
    }
    std::vector<Rank> rankAt(static_cast<std::size_t>(groups));
    std::iota(rankAt.begin(), rankAt.end(), 0);
    if (trial % 3 != 0) std::ranges::shuffle(rankAt, random);
    const Hierarchy tree = made(members, rankAt);
    expectSound(tree);

    std::vector<std::vector<std::uint32_t>> groupOf;
    for (int l = 0; l + 1 < levels; ++l) {
      groupOf.emplace_back();
      for (Rank r = 0; r < tree.ranks(); ++r) groupOf.back().push_back(static_cast<std::uint32_t>(tree.groupOf(l, r)));
    }
    const Hierarchy again = Hierarchy::fromGroups(groupOf, tree.ranks());
    expectSound(again);
    for (Rank a = 0; a < tree.ranks(); ++a) {
      for (Rank b = 0; b < tree.ranks(); ++b) EXPECT_EQ(again.commonLevel(a, b), tree.commonLevel(a, b));
    }

    std::vector<Rank> chosen;
    for (Rank r = 0; r < tree.ranks(); ++r) {
      if (random() % 2 == 0) chosen.push_back(r);
    }
    if (chosen.empty()) chosen.push_back(0);
    std::ranges::shuffle(chosen, random);
    const Hierarchy part = tree.subset(chosen);
    expectSound(part);
    for (Rank a = 0; a < part.ranks(); ++a) {
      for (Rank b = 0; b < part.ranks(); ++b) {
        EXPECT_EQ(part.commonLevel(a, b),
                  tree.commonLevel(chosen[static_cast<std::size_t>(a)], chosen[static_cast<std::size_t>(b)]));
      }
    }
  }
}

TEST(Hierarchy, AHundredThousandRanks_TakeFewBytesEach) {
  const Hierarchy regular = made({{8}, {128}, {100}});
  EXPECT_EQ(regular.ranks(), 102400);
  EXPECT_LT(regular.bytesHeld(), 1024U);

  std::vector<std::vector<std::uint32_t>> groupOf(2);
  for (std::uint32_t r = 0; r < 100000; ++r) {
    groupOf[0].push_back(r % 12497);  // dealt in turn; islands of 8 and of 9
    groupOf[1].push_back(r % 12497 % 31);
  }
  const Hierarchy mixed = Hierarchy::fromGroups(groupOf, 100000);
  EXPECT_LE(mixed.bytesHeld(), 100000U * 20);
  EXPECT_EQ(mixed.groups(0), 12497);
  EXPECT_EQ(mixed.commonLevel(3, 3 + 12497), 0);
}

}  // namespace
}  // namespace atl::plan
