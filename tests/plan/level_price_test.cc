// SPDX-License-Identifier: Apache-2.0
// The cost model where ranks are in islands.
#include "src/plan/level_price.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/plan/chooser.h"
#include "src/plan/explain.h"

namespace atl::plan {
namespace {

using testing::HasSubstr;

constexpr LinkModel kMemory{.latency = 4e-7,
                            .perMessage = 1e-7,
                            .perByte = 1 / 19e9,
                            .perReducedByte = 1 / 55e9,
                            .memory = true,
                            .perPostedByte = 1 / 13e9,
                            .inlined = 512,
                            .bulkLatency = 1e-7};
constexpr LinkModel kNetwork{.latency = 7e-6, .perMessage = 5e-6, .perByte = 1 / 2e9, .perReducedByte = 1 / 55e9};

/// Hosts of some ranks, in each of which memory is shared, with an uplink of so many bytes per second.
SiteModel hosts(std::int32_t count, Rank ranksEach, double uplink, double ranksPerCore = 1,
                LinkModel network = kNetwork) {
  const std::vector<Hierarchy::Members> members{{ranksEach}, {count}};
  LinkModel memory = kMemory;
  memory.ranksPerCore = network.ranksPerCore = ranksPerCore;
  return {network, Hierarchy::make(members).value(), {{"host", memory, {}}, {"network", network, {uplink}}}};
}

Choice choiceOf(const SiteModel& site, std::uint64_t bytes, Collective collective = Collective::allReduce) {
  Choice choice;
  choice.collective = collective;
  choice.ranks = site.hierarchy().ranks();
  choice.root = isRooted(collective) ? 0 : kNoRank;
  choice.bytes = bytes;
  return choice;
}

LevelsPrice priceOf(std::string_view name, const SiteModel& site, std::uint64_t bytes) {
  return priceOverLevels(*algorithmNamed(name), choiceOf(site, bytes), site);
}

constexpr double kSlow = 25e6;

TEST(PriceOverLevels, LargePayloads_AreLimitedByWhatCrossesTheUplinks) {
  const SiteModel site = hosts(2, 2, kSlow);
  const double bytes = 16 << 20;
  EXPECT_NEAR(priceOf("hierarchical", site, 16 << 20).levels[1].uplink, bytes / kSlow, 1e-6);
  EXPECT_NEAR(priceOf("ring", site, 16 << 20).levels[1].uplink, 1.5 * bytes / kSlow, 1e-6);
  EXPECT_NEAR(priceOf("two-shot", site, 16 << 20).levels[1].uplink, 2 * bytes / kSlow, 1e-6);
  for (const char* name : {"hierarchical", "hierarchical-pipelined", "ring", "two-shot"}) {
    const LevelsPrice price = priceOf(name, site, 16 << 20);
    EXPECT_EQ(price.bottleneck(), 1) << name;
    EXPECT_GE(price.seconds, price.levels[1].uplink) << name;
    EXPECT_LE(price.seconds, 1.03 * price.levels[1].uplink) << name;
  }
}

TEST(PriceOverLevels, AllToAlls_CrossUplinksOnceHoweverTheyAreStaged) {
  const SiteModel site = hosts(4, 2, kSlow);
  const double each = 1 << 20;  // of which three quarters are for other hosts
  for (const char* name : {"hierarchical", "hierarchical-leader", "pairwise", "direct"}) {
    const Choice choice = choiceOf(site, 1 << 20, Collective::allToAll);
    const LevelsPrice price = priceOverLevels(*algorithmNamed(name), choice, site);
    EXPECT_NEAR(price.levels[1].uplink, 2 * each * 3 / 4 / kSlow, 1e-6) << name;
  }
}

TEST(PriceOverLevels, LeadersAmongThemselves_HaveTheCoresOfAll) {
  // Four ranks a core, one of which is a leader: as if every leader had a core.
  const auto between = [](double ranksPerCore) {
    const SiteModel site = hosts(4, 4, kSlow, ranksPerCore);
    const Choice choice = choiceOf(site, 1 << 10, Collective::allToAll);
    return priceOverLevels(*algorithmNamed("hierarchical-leader"), choice, site).levels[1].work;
  };
  EXPECT_DOUBLE_EQ(between(4), between(1));
  EXPECT_DOUBLE_EQ(between(16), 4 * between(1));
}

TEST(PriceOverLevels, ReduceAndThenBroadcast_PaysForBothDirectionsInTurnWhereItIsSmall) {
  const SiteModel site = hosts(2, 2, kSlow);
  EXPECT_NEAR(priceOf("binomial", site, 1 << 10).levels[1].uplink, 2 * (1 << 10) / kSlow, 1e-9);
  EXPECT_LT(priceOf("binomial", site, 64 << 20).levels[1].uplink, 1.1 * (64 << 20) / kSlow);
}

TEST(PriceOverLevels, Strands_HideTheShorterLevelBehindTheLonger) {
  // As much to do within hosts as between them.
  constexpr LinkModel kCheapMessages{.latency = 2e-6, .perMessage = 1e-7, .perByte = 1 / 20e9};
  const SiteModel site = hosts(2, 8, 10e9, 1, kCheapMessages);
  const LevelsPrice plain = priceOf("hierarchical", site, 64 << 20);
  const LevelsPrice strands = priceOf("hierarchical-pipelined", site, 64 << 20);
  EXPECT_LT(strands.seconds, 0.8 * plain.seconds);
  const SiteModel crowded = hosts(2, 8, 10e9, 8, kCheapMessages);
  EXPECT_TRUE(priceOf("hierarchical-pipelined", crowded, 64 << 20).shared)
      << "strands hide nothing from cores that are busy with them";
}

TEST(PriceOverLevels, StrandsOnSharedCores_WaitOneAfterAnother) {
  const SiteModel crowded = hosts(4, 2, 10 * kSlow, 4);
  EXPECT_LT(priceOf("hierarchical", crowded, 64 << 10).seconds,
            priceOf("hierarchical-pipelined", crowded, 64 << 10).seconds);
}

TEST(PriceOverLevels, RanksThatTakeTurnsOnACore_HideWhatStrandsWouldHide) {
  const SiteModel alone = hosts(4, 4, 2.5e8, 1);
  const SiteModel crowded = hosts(4, 4, 2.5e8, 8);
  const std::uint64_t bytes = 16 << 20;
  EXPECT_LT(priceOf("hierarchical-pipelined", alone, bytes).seconds, priceOf("hierarchical", alone, bytes).seconds);
  EXPECT_LE(priceOf("hierarchical", crowded, bytes).seconds, priceOf("hierarchical-pipelined", crowded, bytes).seconds);
}

TEST(PriceOverLevels, ComposedPlan_RunsTheCheapestAlgorithmOfEachLevel) {
  const LevelsPrice large = priceOf("hierarchical", hosts(8, 4, kSlow), 64 << 20);
  ASSERT_EQ(large.algorithms.size(), 2U);
  ASSERT_NE(large.algorithms[0].inward, nullptr);
  ASSERT_NE(large.algorithms[0].outward, nullptr);
  EXPECT_EQ(large.algorithms[1].outward, nullptr);
  const LevelsPrice small = priceOf("hierarchical", hosts(8, 4, kSlow), 8);
  EXPECT_NE(small.algorithms[1].inward, large.algorithms[1].inward)
      << "few messages for small payloads, few bytes for large ones";
}

/// What an algorithm's plans send through the uplinks of hosts when levels run what was priced, and what was priced.
struct Uplinks {
  double walked = 0;
  double priced = 0;
};

Uplinks uplinksOf(const Algorithm& algorithm, Collective collective, const SiteModel& site) {
  constexpr std::uint64_t kBytes = 48 << 20;
  const Choice choice = choiceOf(site, kBytes, collective);
  const LevelsPrice price = priceOverLevels(algorithm, choice, site);
  PlanRequest request;
  request.collective = collective;
  request.ranks = choice.ranks;
  request.root = choice.root;
  request.hierarchy = &site.hierarchy();
  request.levels = price.algorithms;
  const UplinkLoad load = footprintOf(algorithm, request).uplinks[1];
  return {load.fuller * kBytes, price.levels[1].uplink * kSlow};
}

TEST(PriceOverLevels, StreamsThatMeetAtAnUplink_AreAvoidedWherePayloadsAreLarge) {
  LinkModel lossy = kNetwork;
  lossy.incast = 0.02;
  const SiteModel site = hosts(4, 2, kSlow, 1, lossy);
  EXPECT_EQ(priceOf("hierarchical", site, 1 << 20).algorithms[1].inward->name, "ring");
  EXPECT_EQ(priceOf("hierarchical", site, 8 << 10).algorithms[1].inward->name, "two-shot");
  EXPECT_EQ(priceOf("hierarchical", hosts(4, 2, kSlow), 1 << 20).algorithms[1].inward->name, "two-shot");
}

TEST(PriceOverLevels, ComposedPlans_ChargeUplinksWithWhatTheirPlansSend) {
  for (const Algorithm& algorithm : catalogue()) {
    for (int c = 0; c < kCollectives && algorithm.phases != nullptr; ++c) {
      const auto collective = static_cast<Collective>(c);
      if (!algorithm.serves(collective, 12, false)) continue;
      const Uplinks uplinks = uplinksOf(algorithm, collective, hosts(4, 3, kSlow));
      EXPECT_GE(uplinks.priced, 0.99 * uplinks.walked) << algorithm.name << ' ' << nameOf(collective);
      EXPECT_LE(uplinks.priced, 1.05 * uplinks.walked) << algorithm.name << ' ' << nameOf(collective);
    }
  }
}

TEST(Rank, SlowUplinks_TakeTheComposedPlanWherePayloadsAreLarge) {
  for (const std::int32_t count : {3, 4, 8}) {
    const SiteModel site = hosts(count, 4, kSlow);
    const auto ranked = rank(choiceOf(site, 16 << 20), site, ForcedAlgorithms{});
    ASSERT_TRUE(ranked.ok());
    EXPECT_NE(ranked->front().algorithm->phases, nullptr) << count << " hosts";
    EXPECT_EQ(ranked->front().levels.size(), 2U);
  }
}

TEST(Rank, StrandsThatSaveNothing_AreNotTaken) {
  // What happens within the hosts takes no time beside what crosses such links, so there is nothing to hide.
  const SiteModel slow = hosts(2, 2, kSlow);
  EXPECT_EQ(rank(choiceOf(slow, 1 << 20), slow, {}).value().front().algorithm->name, "hierarchical");
  const SiteModel fast = hosts(2, 4, 1e9);
  EXPECT_EQ(rank(choiceOf(fast, 64 << 20), fast, {}).value().front().algorithm->name, "hierarchical-pipelined");
}

TEST(Rank, AllRanksJoinedAlike_KnowsNoComposedPlan) {
  const SiteModel site(kNetwork);
  Choice choice;
  choice.ranks = 8;
  choice.bytes = 1 << 20;
  const auto ranked = rank(choice, site, ForcedAlgorithms{});
  ASSERT_TRUE(ranked.ok());
  for (const Candidate& candidate : *ranked) EXPECT_EQ(candidate.algorithm->phases, nullptr);
}

TEST(Rank, LevelsOfTheCandidate_MakeThePlanThatWasPriced) {
  const SiteModel site = hosts(4, 3, kSlow);
  const auto ranked = rank(choiceOf(site, 1 << 20), site, *ForcedAlgorithms::parse("hierarchical"));
  ASSERT_TRUE(ranked.ok());
  PlanRequest request;
  request.ranks = 12;
  request.hierarchy = &site.hierarchy();
  request.levels = ranked->front().levels;
  const Plan plan = ranked->front().algorithm->generate(request);
  request.levels = {};
  EXPECT_NE(plan.familyHash, ranked->front().algorithm->generate(request).familyHash);
}

TEST(Explain, Islands_NamesTheLevelThatTakesLongest) {
  const SiteModel site = hosts(2, 2, kSlow);
  const Choice choice = choiceOf(site, 16 << 20);
  const auto decision = decide(choice, site, *ForcedAlgorithms::parse("hierarchical"), nullptr);
  ASSERT_TRUE(decision.ok());
  const std::string text = explain(choice, *decision, site);
  EXPECT_THAT(text, HasSubstr("host: "));
  EXPECT_THAT(text, HasSubstr("by its uplinks"));
  EXPECT_THAT(text, HasSubstr("network takes longest"));
}

}  // namespace
}  // namespace atl::plan
