// SPDX-License-Identifier: Apache-2.0
#include "src/plan/rank_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace atl::plan {
namespace {

constexpr std::int64_t kPlenty = std::int64_t{1} << 24;

std::set<Rank> membersOf(const RankSets& sets, RankSet set, Rank ranks) {
  std::set<Rank> members;
  for (Rank r = 0; r < ranks; ++r) {
    if (sets.contains(set, r)) members.insert(r);
  }
  return members;
}

TEST(RankSets, UnionsOfRandomSets_AgreeWithPlainSets) {
  std::mt19937 random(1);
  for (const Rank ranks : {1, 2, 3, 5, 63, 64, 65, 128, 130}) {
    RankSets sets(ranks, kPlenty);
    std::vector<std::pair<RankSet, std::set<Rank>>> known;
    for (Rank r = 0; r < ranks; ++r) known.push_back({RankSets::single(r), {r}});
    for (int i = 0; i < 600; ++i) {
      const auto [a, plainA] = known[random() % known.size()];
      const auto [b, plainB] = known[random() % known.size()];
      const RankSets::Union both = sets.unite(a, b);
      std::set<Rank> plain = plainA;
      plain.insert(plainB.begin(), plainB.end());
      ASSERT_EQ(membersOf(sets, both.set, ranks), plain);
      ASSERT_EQ(sets.size(both.set), static_cast<std::int64_t>(plain.size()));
      ASSERT_EQ(sets.isAll(both.set), plain.size() == static_cast<std::size_t>(ranks));
      ASSERT_EQ(both.common.has_value(), plain.size() < plainA.size() + plainB.size());
      if (both.common) {
        ASSERT_TRUE(plainA.count(*both.common) == 1 && plainB.count(*both.common) == 1);
      }
      for (const auto& [other, plainOther] : known) ASSERT_EQ(both.set == other, plain == plainOther);
      known.emplace_back(both.set, plain);
    }
  }
}

TEST(RankSets, Follows_IsRankOrderWithoutGapOrWrap) {
  RankSets sets(8, kPlenty);
  const RankSet low = sets.unite(RankSets::single(0), RankSets::single(1)).set;
  const RankSet high = sets.unite(RankSets::single(2), RankSets::single(3)).set;
  const RankSet wrapped = sets.unite(RankSets::single(7), RankSets::single(0)).set;
  EXPECT_TRUE(sets.follows(low, high));
  EXPECT_FALSE(sets.follows(high, low));
  EXPECT_FALSE(sets.follows(low, RankSets::single(3))) << "rank 2 is between them";
  EXPECT_FALSE(sets.follows(RankSets::single(6), wrapped));
}

TEST(RankSets, Description_NamesRunsAndTheFirstMissing) {
  RankSets sets(100, kPlenty);
  RankSet set = RankSets::single(3);
  EXPECT_EQ(sets.describe(set), "rank 3");
  set = sets.unite(set, RankSets::single(4)).set;
  set = sets.unite(set, RankSets::single(90)).set;
  EXPECT_EQ(sets.describe(set), "ranks 3 to 4, 90");
  EXPECT_EQ(sets.firstMissing(set), 0);
  for (Rank r = 10; r < 60; r += 2) set = sets.unite(set, RankSets::single(r)).set;
  EXPECT_EQ(sets.describe(set), "ranks 3 to 4, 10, 12, 14, 16, 18, … (28 in all)");
}

TEST(RankSets, MemoryBound_IsReported) {
  RankSets sets(1000, 400);
  RankSet set = RankSets::single(0);
  for (Rank r = 2; r < 20 && !sets.exhausted(); r += 2) set = sets.unite(set, RankSets::single(r)).set;
  EXPECT_TRUE(sets.exhausted());
}

}  // namespace
}  // namespace atl::plan
