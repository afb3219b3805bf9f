// SPDX-License-Identifier: Apache-2.0
// What plans move over the levels of a hierarchy.
#include "src/plan/traffic.h"

#include <gtest/gtest.h>

namespace atl::plan {
namespace {

/// Islands of so many ranks each; in turns, neighbours in number are in different islands.
Hierarchy islands(std::int32_t count, Rank ranksEach, bool inTurns = false) {
  std::vector<Rank> rankAt;
  for (Rank i = 0; inTurns && i < count * ranksEach; ++i) rankAt.push_back(i / ranksEach + i % ranksEach * count);
  const std::vector<Hierarchy::Members> levels{{ranksEach}, {count}};
  return Hierarchy::make(levels, rankAt).value();
}

Footprint footprintOf(std::string_view algorithm, Collective collective, const Hierarchy& hierarchy,
                      Rank root = kNoRank) {
  PlanRequest request;
  request.collective = collective;
  request.ranks = hierarchy.ranks();
  request.root = root;
  request.hierarchy = &hierarchy;
  return footprintOf(*algorithmNamed(algorithm), request);
}

TEST(FootprintOf, RingAroundIslands_CrossesEachUplinkOnceEachWay) {
  const Hierarchy hierarchy = islands(4, 4);
  const Footprint ring = footprintOf("ring", Collective::allReduce, hierarchy);
  EXPECT_DOUBLE_EQ(ring.uplinks[1].fuller, 2 * 15.0 / 16);
  EXPECT_DOUBLE_EQ(ring.uplinks[1].inTurn, 2 * 15.0 / 16) << "both directions are always in use";
  EXPECT_DOUBLE_EQ(ring.uplinks[0].fuller, 2 * 15.0 / 16) << "a rank that sends to its neighbour on the island";
  EXPECT_EQ(ring.ranks.size(), 3U) << "the first of an island, the last, and those between";
}

TEST(FootprintOf, TwoShot_CrossesUplinksWithWhatEveryRankSendsElsewhere) {
  const Footprint direct = footprintOf("two-shot", Collective::allReduce, islands(2, 2, true));
  EXPECT_DOUBLE_EQ(direct.uplinks[1].fuller, 2 * 2 * 2 / 4.0) << "two ranks, two phases, two quarters";
  ASSERT_EQ(direct.ranks.size(), 1U);
  EXPECT_DOUBLE_EQ(direct.ranks[0].levels[0].work.sent, 2 / 4.0);
  EXPECT_DOUBLE_EQ(direct.ranks[0].levels[1].work.messages, 8) << "sent and taken, twice to and from two ranks";
  EXPECT_DOUBLE_EQ(direct.ranks[0].levels[0].rounds, 0) << "every round has peers further out";
  EXPECT_DOUBLE_EQ(direct.ranks[0].levels[1].rounds, 2);
}

TEST(FootprintOf, RanksThatARankTakesFrom_AreCountedOnceHoweverOften) {
  const Hierarchy hierarchy = islands(4, 4);
  EXPECT_EQ(footprintOf("ring", Collective::allReduce, hierarchy).uplinks[1].senders, 1);
  const Footprint direct = footprintOf("two-shot", Collective::allReduce, hierarchy);
  EXPECT_EQ(direct.uplinks[1].senders, 12) << "all of other islands, in both phases";
  EXPECT_EQ(direct.uplinks[0].senders, 3);
}

TEST(FootprintOf, ReduceAndThenBroadcast_UsesOneDirectionAfterTheOther) {
  const Footprint binomial = footprintOf("binomial", Collective::allReduce, islands(2, 2));
  EXPECT_DOUBLE_EQ(binomial.uplinks[1].fuller, 1);
  EXPECT_DOUBLE_EQ(binomial.uplinks[1].inTurn, 2);
  EXPECT_DOUBLE_EQ(binomial.uplinks[1].bytesOf(1000), 2000);
  EXPECT_DOUBLE_EQ(binomial.uplinks[1].bytesOf(1e9), 1e9 + UplinkLoad::kPassedOn) << "but passes on what it has";
}

TEST(FootprintOf, HierarchicalPlan_SendsTheLeastThatAnyAllReduceSends) {
  for (const std::int32_t count : {2, 3, 4}) {
    const Footprint composed = footprintOf("hierarchical", Collective::allReduce, islands(count, 3, true));
    EXPECT_NEAR(composed.uplinks[1].fuller, 2.0 * (count - 1) / count, 1e-9) << count << " islands";
  }
}

TEST(FootprintOf, OutermostMessages_PassTheUplinksOfAllLevelsButTheRanksOwn) {
  const std::vector<Hierarchy::Members> levels{{2}, {2}, {2}};
  const Hierarchy hierarchy = Hierarchy::make(levels).value();
  const Footprint pairwise = footprintOf("pairwise", Collective::allToAll, hierarchy);
  EXPECT_DOUBLE_EQ(pairwise.uplinks[0].fuller, 1 / 8.0);
  EXPECT_DOUBLE_EQ(pairwise.uplinks[1].fuller, 2 * 6 / 8.0) << "a host's two ranks, for six ranks elsewhere each";
  EXPECT_DOUBLE_EQ(pairwise.uplinks[2].fuller, 4 * 4 / 8.0);
}

TEST(FootprintOf, LargeGroups_IsEstimatedFromSomeRanks) {
  const Footprint large = footprintOf("two-shot", Collective::allReduce, islands(32, 8));
  EXPECT_NEAR(large.uplinks[1].fuller, 2 * 8 * 248 / 256.0, 1e-9);
  EXPECT_NEAR(large.mean.work().sent, 2 * 255 / 256.0, 1e-9);
}

TEST(Footprints, SameQuestion_IsAnsweredByTheSameObject) {
  const Hierarchy hierarchy = islands(2, 2);
  Footprints known(hierarchy);
  const Algorithm& ring = *algorithmNamed("ring");
  const auto first = known.of(ring, Collective::allReduce, kNoRank);
  EXPECT_EQ(known.of(ring, Collective::allReduce, kNoRank), first);
  EXPECT_NE(known.of(ring, Collective::allGather, kNoRank), first);
  EXPECT_NE(known.ofFlat(ring, Collective::allReduce, 4, kNoRank), first);
}

}  // namespace
}  // namespace atl::plan
