// SPDX-License-Identifier: Apache-2.0
#include "src/plan/chooser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/explain.h"
#include "tests/plan/families.h"

namespace atl::plan {
namespace {

using testing::HasSubstr;

/// A fast network: 2 µs, 0.2 µs a message, 10 GB/s, reductions at 20 GB/s.
constexpr LinkModel kNetwork{2e-6, 2e-7, 1e-10, 5e-11};

Choice choiceOf(Collective collective, Rank ranks, std::uint64_t bytes) {
  Choice choice;
  choice.collective = collective;
  choice.ranks = ranks;
  choice.bytes = bytes;
  if (isRooted(collective)) choice.root = 0;
  return choice;
}

std::string_view bestOf(const Choice& choice, const LinkModel& model = kNetwork) {
  const auto ranked = rank(choice, model, ForcedAlgorithms{});
  EXPECT_TRUE(ranked.ok());
  return ranked.ok() ? ranked->front().algorithm->name : "";
}

Cost costOf(std::string_view name, Collective collective, Rank ranks, double bytes, double tiles = 1) {
  return algorithmNamed(name)->cost(CostQuery{collective, ranks, bytes, tiles});
}

TEST(Chooser, SmallAllReduce_TakesFewRounds) {
  for (const Rank ranks : {2, 4, 8, 16})
    EXPECT_EQ(bestOf(choiceOf(Collective::allReduce, ranks, 8)), "one-shot") << ranks;
  const std::string_view many = bestOf(choiceOf(Collective::allReduce, 4096, 8));
  EXPECT_LE(costOf(many, Collective::allReduce, 4096, 8).rounds, 2 * ceilLog2(4096)) << many;
}

TEST(Chooser, LargeAllReduce_MovesTheFewestBytes) {
  const double bytes = 1 << 30;
  for (const Rank ranks : {4, 7, 64, 1000}) {
    const std::string_view best = bestOf(choiceOf(Collective::allReduce, ranks, 1 << 30));
    EXPECT_LT(costOf(best, Collective::allReduce, ranks, bytes, 1024).busiest.sent, 2.05 * bytes)
        << best << " on " << ranks;
  }
}

TEST(Chooser, LargeBroadcast_IsPipelined) {
  const std::string_view best = bestOf(choiceOf(Collective::broadcast, 64, std::uint64_t{1} << 30));
  EXPECT_TRUE(algorithmNamed(best)->tileable) << best;
}

TEST(Chooser, AllToAll_PacksSmallBlocksOnlyWhereMessagesCost) {
  LinkModel dearMessages = kNetwork;
  dearMessages.perMessage = 2e-6;
  EXPECT_EQ(bestOf(choiceOf(Collective::allToAll, 64, 64 * 8), dearMessages), "bruck");
  EXPECT_NE(bestOf(choiceOf(Collective::allToAll, 64, 64 << 20), dearMessages), "bruck");
}

TEST(Chooser, UnequalBlocks_PassesOverAlgorithmsThatMixBlocks) {
  Choice choice = choiceOf(Collective::allToAll, 8, 64);
  choice.unequalBlocks = true;
  const auto ranked = rank(choice, kNetwork, ForcedAlgorithms{});
  ASSERT_TRUE(ranked.ok());
  for (const Candidate& candidate : *ranked)
    EXPECT_TRUE(candidate.algorithm->servesUnequalBlocks(choice.collective)) << candidate.algorithm->name;
}

TEST(Chooser, OrderedReduction_TakesOnlyAlgorithmsThatKeepOrder) {
  Choice choice = choiceOf(Collective::allReduce, 8, 1 << 26);
  choice.ordered = true;
  const auto ranked = rank(choice, kNetwork, ForcedAlgorithms{});
  ASSERT_TRUE(ranked.ok());
  for (const Candidate& candidate : *ranked) {
    EXPECT_TRUE(candidate.algorithm->serves(Collective::allReduce, 8, true)) << candidate.algorithm->name;
  }
}

TEST(Chooser, Candidates_ComeCheapestFirst) {
  for (const Collective collective : plannedCollectives()) {
    const auto ranked = rank(choiceOf(collective, 12, 1 << 16), kNetwork, ForcedAlgorithms{});
    ASSERT_TRUE(ranked.ok()) << nameOf(collective);
    for (std::size_t i = 1; i < ranked->size(); ++i) EXPECT_LE((*ranked)[i - 1].seconds, (*ranked)[i].seconds);
  }
}

TEST(Chooser, AnySize_PredictionsAreFiniteAndNeverShrinkWithThePayload) {
  for (const Pairing& pairing : everyPairing()) {
    for (const Rank ranks : {1, 2, 3, 8, 1000}) {
      if (!pairing.algorithm->serves(pairing.collective, ranks, false)) continue;
      double before = 0;
      for (const std::uint64_t bytes : {0ull, 8ull, 4096ull, 1ull << 20, 1ull << 30}) {
        const double seconds =
            predict(*pairing.algorithm, choiceOf(pairing.collective, ranks, bytes), kNetwork).seconds;
        ASSERT_TRUE(std::isfinite(seconds)) << nameOf(pairing);
        ASSERT_GE(seconds, before) << nameOf(pairing) << " " << bytes << " B on " << ranks;
        before = seconds;
      }
    }
  }
}

/// Memory of one host: a byte is posted once and taken by each receiver.
constexpr LinkModel kMemory{.latency = 3e-7,
                            .perMessage = 1e-7,
                            .perByte = 5e-11,
                            .perReducedByte = 2e-11,
                            .memory = true,
                            .perPostedByte = 8e-11,
                            .inlined = 448,
                            .bulkLatency = 1e-6};

double predicted(std::string_view name, const Choice& choice, const LinkModel& model) {
  return predict(*algorithmNamed(name), choice, model).seconds;
}

TEST(Prices, MemoryThatManyRead_IsPostedOnce) {
  const Choice broadcast = choiceOf(Collective::broadcast, 8, 1 << 16);
  EXPECT_LT(predicted("one-shot", broadcast, kMemory), predicted("two-shot", broadcast, kMemory));
  // Through a port the root's copies go one after another.
  EXPECT_GT(predicted("one-shot", broadcast, kNetwork), predicted("two-shot", broadcast, kNetwork));
}

TEST(Prices, RanksThatShareCores_PayForTheWorkOfAll) {
  LinkModel shared = kMemory;
  shared.ranksPerCore = 4;
  const auto dearer = [&](std::string_view name, Collective collective) {
    const Choice choice = choiceOf(collective, 8, 1 << 28);
    return predicted(name, choice, shared) / predicted(name, choice, kMemory);
  };
  // Where all do the same, four ranks of a core take four times as long.
  EXPECT_NEAR(dearer("two-shot", Collective::allReduce), 4, 0.01);
  // A gather is the root's work; that the others wait on its core costs nothing.
  EXPECT_LT(dearer("direct", Collective::gather), 1.5);
}

TEST(Prices, SendersThatMeetAtOneReceiver_MakePairwiseCheaperForLargeBlocks) {
  LinkModel crowded = kNetwork;
  crowded.incast = 0.2;
  const Choice large = choiceOf(Collective::allToAll, 16, 64 << 20);
  EXPECT_EQ(bestOf(large), "direct");
  EXPECT_EQ(bestOf(large, crowded), "pairwise");
  EXPECT_EQ(bestOf(choiceOf(Collective::allToAll, 16, 16 * 64), crowded), "direct");
}

TEST(Prices, RoundOfLargeMessages_PaysForMovingThemApart) {
  LinkModel cheap = kMemory;
  cheap.bulkLatency = 0;
  const auto extra = [&](std::uint64_t bytes) {
    const Choice choice = choiceOf(Collective::allReduce, 4, bytes);
    return predicted("two-shot", choice, kMemory) - predicted("two-shot", choice, cheap);
  };
  EXPECT_EQ(extra(4 * 448), 0);  // parts that still travel with their flags
  EXPECT_NEAR(extra(4 * 456), 2e-6, 1e-9);
}

TEST(Prices, PlanWithoutTiles_IsDearerOnceItsDataLeavesTheCache) {
  LinkModel model = kMemory;
  model.untiled = 1.2;
  const Choice small = choiceOf(Collective::allReduce, 2, LinkModel::kCachedBytes);
  const Choice large = choiceOf(Collective::allReduce, 2, 4 * LinkModel::kCachedBytes);
  EXPECT_EQ(predicted("two-shot", small, model), predicted("two-shot", small, kMemory));
  EXPECT_GT(predicted("two-shot", large, model), 1.15 * predicted("two-shot", large, kMemory));
  EXPECT_EQ(predicted("ring", large, model), predicted("ring", large, kMemory));
}

TEST(Prices, RingsTwoDirections_ShareARanksPort) {
  const Choice broadcast = choiceOf(Collective::broadcast, 8, std::uint64_t{1} << 30);
  EXPECT_GE(predicted("ring", broadcast, kNetwork), predicted("chain", broadcast, kNetwork));
}

TEST(Chooser, PointToPoint_IsServedByNone) {
  const auto ranked = rank(choiceOf(Collective::pointToPoint, 4, 8), kNetwork, ForcedAlgorithms{});
  ASSERT_FALSE(ranked.ok());
  EXPECT_EQ(ranked.error().code, ErrorCode::unsupported);
}

TEST(ForcedAlgorithms, Nothing_LeavesEverythingFree) {
  for (const std::string_view text : {"", "  "}) {
    const auto forced = ForcedAlgorithms::parse(text);
    ASSERT_TRUE(forced.ok());
    for (const Collective collective : plannedCollectives()) EXPECT_EQ(forced->forCollective(collective), nullptr);
  }
}

TEST(ForcedAlgorithms, BareName_ForcesWhatItServesAndLeavesTheRestFree) {
  const auto forced = ForcedAlgorithms::parse("ring");
  ASSERT_TRUE(forced.ok());
  EXPECT_EQ(forced->forCollective(Collective::allReduce), algorithmNamed("ring"));
  EXPECT_EQ(forced->forCollective(Collective::reduceScatter), algorithmNamed("ring"));
  EXPECT_EQ(forced->forCollective(Collective::barrier), nullptr);
}

TEST(ForcedAlgorithms, RuleForOneCollective_GoesBeforeABareNameInAnyOrder) {
  for (const std::string_view text : {"ring, allreduce : two-shot", "all_reduce:two-shot,ring"}) {
    const auto forced = ForcedAlgorithms::parse(text);
    ASSERT_TRUE(forced.ok()) << text;
    EXPECT_EQ(forced->forCollective(Collective::allReduce), algorithmNamed("two-shot"));
    EXPECT_EQ(forced->forCollective(Collective::broadcast), algorithmNamed("ring"));
  }
}

TEST(ForcedAlgorithms, ForcedChoice_IsTheOnlyCandidate) {
  const auto forced = ForcedAlgorithms::parse("allreduce:ring");
  ASSERT_TRUE(forced.ok());
  const auto ranked = rank(choiceOf(Collective::allReduce, 8, 8), kNetwork, *forced);
  ASSERT_TRUE(ranked.ok());
  ASSERT_EQ(ranked->size(), 1u);
  EXPECT_EQ(ranked->front().algorithm->name, "ring");
}

TEST(ForcedAlgorithms, UnknownAlgorithm_IsNamedWithTheKnownOnes) {
  const auto forced = ForcedAlgorithms::parse("allreduce:rings");
  ASSERT_FALSE(forced.ok());
  EXPECT_EQ(forced.error().code, ErrorCode::invalidArgument);
  EXPECT_THAT(forced.error().text, HasSubstr("'rings'"));
  EXPECT_THAT(forced.error().text, HasSubstr("double-binary-tree"));
}

TEST(ForcedAlgorithms, UnknownCollective_IsNamedWithTheKnownOnes) {
  const auto forced = ForcedAlgorithms::parse("allreduced:ring");
  ASSERT_FALSE(forced.ok());
  EXPECT_THAT(forced.error().text, HasSubstr("'allreduced'"));
  EXPECT_THAT(forced.error().text, HasSubstr("allgather"));
}

TEST(ForcedAlgorithms, AlgorithmThatNeverServesTheCollective_IsRefusedWithThoseThatDo) {
  const auto forced = ForcedAlgorithms::parse("allreduce:bruck");
  ASSERT_FALSE(forced.ok());
  EXPECT_THAT(forced.error().text, HasSubstr("'bruck' does not serve allreduce"));
  EXPECT_THAT(forced.error().text, HasSubstr("two-shot"));
}

TEST(ForcedAlgorithms, EmptyRule_IsRefused) {
  EXPECT_FALSE(ForcedAlgorithms::parse("ring,,chain").ok());
  EXPECT_FALSE(ForcedAlgorithms::parse("allreduce:").ok());
}

TEST(ForcedAlgorithms, CallThatTheForcedOneCannotServe_IsAnErrorThatSaysWhy) {
  const auto ring = ForcedAlgorithms::parse("ring");
  ASSERT_TRUE(ring.ok());
  Choice ordered = choiceOf(Collective::allReduce, 8, 8);
  ordered.ordered = true;
  const auto refused = rank(ordered, kNetwork, *ring);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
  EXPECT_THAT(refused.error().text, HasSubstr("'ring' cannot serve allreduce on 8 ranks in rank order"));
  EXPECT_THAT(refused.error().text, HasSubstr("two-shot"));
}

TEST(Explain, RankedCandidates_NamesTheCallTheWinnerAndTheRunnersUp) {
  const Choice choice = choiceOf(Collective::allReduce, 8, 1 << 20);
  const auto decision = decide(choice, kNetwork, ForcedAlgorithms{}, nullptr);
  ASSERT_TRUE(decision.ok());
  const std::string text = explain(choice, *decision, kNetwork);
  EXPECT_THAT(text, HasSubstr("allreduce 1 MiB on 8 ranks: " + std::string(decision->algorithm().name)));
  EXPECT_THAT(text, HasSubstr("rounds"));
  for (const Candidate& candidate : decision->ranked)
    EXPECT_THAT(text, HasSubstr(std::string(candidate.algorithm->name)));
}

TEST(TilesFor, Payload_IsCutOnlyWhereThePlanAllowsAndItExceedsATile) {
  EXPECT_EQ(tilesFor(true, 0, 1024), 1);
  EXPECT_EQ(tilesFor(true, 1024, 1024), 1);
  EXPECT_EQ(tilesFor(true, 1025, 1024), 2);
  EXPECT_EQ(tilesFor(true, 4096, 1024), 4);
  EXPECT_EQ(tilesFor(false, 4096, 1024), 1);
  EXPECT_EQ(tilesFor(true, 4096, 0), 1);
  EXPECT_EQ(tilesFor(true, ~std::uint64_t{0}, 1), std::numeric_limits<std::int32_t>::max());
}

}  // namespace
}  // namespace atl::plan
