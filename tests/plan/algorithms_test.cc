// SPDX-License-Identifier: Apache-2.0
// Every algorithm of the catalogue, proved by the verifier: exhaustively on small groups, sampled on larger ones.
#include <gtest/gtest.h>

#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/algorithms/binary_tree.h"
#include "src/plan/builder.h"
#include "src/plan/verify.h"
#include "tests/plan/families.h"

namespace atl::plan {
namespace {

class EveryAlgorithm : public testing::TestWithParam<Pairing> {
 protected:
  [[nodiscard]] bool serves(Rank ranks) const {
    return GetParam().algorithm->serves(GetParam().collective, ranks, false);
  }

  [[nodiscard]] Cost costOf(Rank ranks) const {
    return GetParam().algorithm->cost(CostQuery{GetParam().collective, ranks, 1e6, 1});
  }
};

std::string shapeOf(Rank ranks, Rank root, std::int32_t shares) {
  return fmt::format("{} ranks, root {}, {} shares", ranks, root, shares);
}

/// Out of place always; in place too where every rank says that it is safe, and only there.
void expectProved(const Pairing& pairing, Rank ranks, Rank root, std::int32_t shares) {
  const std::vector<Plan> plans = familyOf(pairing, ranks, root, shares);
  VerifyOptions options;
  options.unequalBlocks = pairing.algorithm->servesUnequalBlocks(pairing.collective);
  const Result<Proof> proof = verify(plans, options);
  ASSERT_TRUE(proof.ok()) << shapeOf(ranks, root, shares) << ": " << proof.error().text;

  const bool safe = std::all_of(plans.begin(), plans.end(), [](const Plan& plan) { return safeInPlace(plan); });
  options.inPlace = true;
  const Result<Proof> inPlace = verify(plans, options);
  ASSERT_EQ(inPlace.ok(), safe) << shapeOf(ranks, root, shares) << ": "
                                << (inPlace.ok() ? "sound in place" : inPlace.error().text);
}

TEST_P(EveryAlgorithm, UpTo64Ranks_IsProved) {
  for (Rank ranks = 1; ranks <= 64; ++ranks) {
    if (!serves(ranks)) continue;
    for (const Rank root : rootsFor(GetParam().collective, ranks)) {
      for (const std::int32_t shares : {1, 2}) ASSERT_NO_FATAL_FAILURE(expectProved(GetParam(), ranks, root, shares));
    }
  }
}

TEST_P(EveryAlgorithm, LargerGroups_AreProved) {
  for (const Rank ranks : {100, 127, 128, 251}) {
    if (!serves(ranks)) continue;
    const Rank root = isRooted(GetParam().collective) ? ranks / 3 : kNoRank;
    ASSERT_NO_FATAL_FAILURE(expectProved(GetParam(), ranks, root, 1));
  }
}

TEST_P(EveryAlgorithm, Cost_CoversTheRoundsThatTheProofCounts) {
  for (Rank ranks = 1; ranks <= 64; ++ranks) {
    if (!serves(ranks)) continue;
    const Result<Proof> proof = verify(familyOf(GetParam(), ranks, isRooted(GetParam().collective) ? 0 : kNoRank));
    ASSERT_TRUE(proof.ok()) << proof.error().text;
    const double predicted = costOf(ranks).rounds;
    ASSERT_GE(predicted, static_cast<double>(proof->rounds)) << ranks << " ranks";
    ASSERT_LE(predicted, static_cast<double>(proof->rounds) + 2) << ranks << " ranks";
  }
}

TEST_P(EveryAlgorithm, PlansSayWhatTheCatalogueSays) {
  for (const Rank ranks : {2, 3, 8}) {
    if (!serves(ranks)) continue;
    const Rank root = isRooted(GetParam().collective) ? 1 : kNoRank;
    for (const Plan& plan : familyOf(GetParam(), ranks, root)) {
      EXPECT_EQ(plan.algorithm, GetParam().algorithm->name);
      EXPECT_EQ(plan.collective, GetParam().collective);
      EXPECT_EQ(plan.root, root);
      EXPECT_EQ(plan.tileable, GetParam().algorithm->tileable);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryAlgorithm, testing::ValuesIn(everyPairing()),
                         [](const auto& test) { return nameOf(test.param); });

TEST(Catalogue, Names_AreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const Algorithm& algorithm : catalogue()) {
    EXPECT_TRUE(names.insert(algorithm.name).second) << algorithm.name;
    EXPECT_EQ(algorithmNamed(algorithm.name), &algorithm);
  }
  EXPECT_EQ(algorithmNamed("no-such"), nullptr);
}

TEST(Catalogue, EveryCollective_IsServedOnAnyNumberOfRanksInRankOrder) {
  for (const Collective collective : plannedCollectives()) {
    for (Rank ranks = 1; ranks <= 64; ++ranks) {
      const auto all = catalogue();
      EXPECT_TRUE(std::any_of(
          all.begin(), all.end(),
          [&](const Algorithm& a) { return a.serves(collective, ranks, true) && a.servesUnequalBlocks(collective); }))
          << nameOf(collective) << " on " << ranks;
    }
  }
}

TEST(Catalogue, AlgorithmThatServesInRankOrder_SaysSoInItsPlans) {
  for (const Pairing& pairing : everyPairing()) {
    if (!isReducing(pairing.collective)) continue;
    for (Rank ranks = 1; ranks <= 64; ++ranks) {
      if (!pairing.algorithm->serves(pairing.collective, ranks, true)) continue;
      const Rank root = isRooted(pairing.collective) ? 0 : kNoRank;
      EXPECT_TRUE(planOf(pairing, ranks, ranks - 1, root).ordered) << nameOf(pairing) << " on " << ranks;
    }
  }
}

TEST(TwoShotAllReduce, InPlace_NeedsNoSnapshot) {
  const Pairing twoShot{algorithmNamed("two-shot"), Collective::allReduce};
  for (const Plan& plan : familyOf(twoShot, 7, kNoRank)) EXPECT_TRUE(safeInPlace(plan));
}

TEST(OneShotAllReduce, InPlace_NeedsASnapshot) {
  const Pairing oneShot{algorithmNamed("one-shot"), Collective::allReduce};
  for (const Plan& plan : familyOf(oneShot, 7, kNoRank)) EXPECT_FALSE(safeInPlace(plan));
}

TEST(RingAllReduce, TwoShares_RunInOppositeDirections) {
  const Plan plan = planOf({algorithmNamed("ring"), Collective::allReduce}, 5, 2, kNoRank, 2);
  ASSERT_EQ(plan.lanes.size(), 2u);
  EXPECT_EQ(plan.lanes[0].loops.at(0).rounds.at(0).steps.at(0).to.at(0).rank, 3);
  EXPECT_EQ(plan.lanes[1].loops.at(0).rounds.at(0).steps.at(0).to.at(0).rank, 1);
}

TEST(CirculantReduceScatter, AnyRanks_SendsEachOtherBlockOnce) {
  for (Rank ranks = 2; ranks <= 64; ++ranks) {
    const Plan plan = planOf({algorithmNamed("circulant"), Collective::reduceScatter}, ranks, ranks / 2, kNoRank);
    Rank blocks = 0;
    for (const Loop& loop : plan.lanes.at(0).loops) {
      for (const Round& round : loop.rounds) {
        for (const Step& step : round.steps) {
          if (step.kind == Step::Kind::send) blocks += step.chunk.span;
        }
      }
    }
    EXPECT_EQ(blocks, ranks - 1);
  }
}

TEST(PatReduceScatter, Scratch_GrowsWithTheLogarithmOfTheRanks) {
  for (const Rank ranks : {2, 3, 16, 17, 64, 100, 1000, 100000}) {
    const Plan plan = planOf({algorithmNamed("pat"), Collective::reduceScatter}, ranks, 1, kNoRank);
    EXPECT_LE(plan.scratchSlots, 16 * ceilLog2(ranks)) << ranks << " ranks";
  }
}

TEST(PatAllGather, FirstMessages_GoFar) {
  const Plan plan = planOf({algorithmNamed("pat"), Collective::allGather}, 32, 0, kNoRank);
  const std::vector<Round>& rounds = plan.lanes.at(0).loops.at(0).rounds;
  ASSERT_EQ(rounds.size(), 5u);
  for (std::size_t k = 0; k < rounds.size(); ++k) {
    EXPECT_EQ(rounds[k].steps.at(0).to.at(0).rank, 16 >> k);
    EXPECT_EQ(std::count_if(rounds[k].steps.begin(), rounds[k].steps.end(),
                            [](const Step& step) { return step.kind == Step::Kind::send; }),
              1 << k);
  }
}

TEST(BruckAllToAll, AnyRanks_SendsOneMessageARound) {
  for (Rank ranks = 2; ranks <= 64; ++ranks) {
    const Plan plan = planOf({algorithmNamed("bruck"), Collective::allToAll}, ranks, 0, kNoRank);
    EXPECT_EQ(messagesOf(plan), 2 * ceilLog2(ranks)) << ranks << " ranks";
  }
}

TEST(DisseminationBarrier, Messages_AreTheEmptyPayload) {
  const Plan plan = planOf({algorithmNamed("dissemination"), Collective::barrier}, 6, 2, kNoRank, 2);
  for (const Lane& lane : plan.lanes) {
    for (const Loop& loop : lane.loops) {
      for (const Round& round : loop.rounds) {
        EXPECT_EQ(round.steps.at(0).chunk, Chunk(input()));
      }
    }
  }
}

TEST(BinaryTrees, Pair_NoRankHasTwoChildrenInBoth) {
  for (Rank ranks = 2; ranks <= 64; ++ranks) {
    for (Rank rank = 0; rank < ranks; ++rank) {
      const auto first = inOrderTree(rank, ranks, 0).children().size();
      EXPECT_LT(first + complementTree(rank, ranks, 0).children().size(), 4u) << rank << " of " << ranks;
      EXPECT_LT(first + inOrderTree(rank, ranks, ranks - 1).children().size(), 4u) << rank << " of " << ranks;
    }
  }
}

TEST(BinaryTrees, Depth_IsAtMostTheLogarithmOfTheRanks) {
  for (Rank ranks = 2; ranks <= 130; ++ranks) {
    for (Rank rank = 0; rank < ranks; ++rank) {
      Rank depth = 0;
      for (Rank at = rank; !inOrderTree(at, ranks, 0).isTop(); at = inOrderTree(at, ranks, 0).parent) ++depth;
      ASSERT_LE(depth, ceilLog2(ranks)) << rank << " of " << ranks;
    }
  }
}

}  // namespace
}  // namespace atl::plan
