// SPDX-License-Identifier: Apache-2.0
// Every composition, proved: all small trees, a large sample of random ones, and what crosses between islands.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <numeric>
#include <random>

#include "tests/plan/compositions.h"
#include "tests/plan/random_tree.h"

namespace atl::plan {
namespace {

constexpr Collective kComposed[] = {Collective::allReduce, Collective::reduce,        Collective::broadcast,
                                    Collective::allGather, Collective::reduceScatter, Collective::allToAll};
constexpr const char* kHierarchical[] = {"hierarchical", "hierarchical-pipelined", "hierarchical-leader"};

std::string describe(const Hierarchy& hierarchy, const Wanted& wanted) {
  std::vector<Members> levels;
  for (int level = 0; level < hierarchy.levels(); ++level) {
    Members members;
    for (std::int32_t group = 0; group < hierarchy.groups(level); ++group) {
      members.push_back(hierarchy.members(level, group));
    }
    levels.push_back(members);
  }
  std::vector<Rank> places;
  for (Rank place = 0; place < hierarchy.ranks(); ++place) places.push_back(hierarchy.rankAt(place));
  return fmt::format("{} in {}, root {}, on {} with ranks {}", atl::nameOf(wanted.collective),
                     wanted.division == Division::slices ? "slices" : "leaders", wanted.root, levels, places);
}

/// The family that an algorithm of the catalogue makes.
std::vector<Plan> familyOf(const char* algorithm, const Hierarchy& hierarchy, Collective collective, Rank root) {
  std::vector<Plan> plans;
  PlanRequest request;
  request.collective = collective;
  request.ranks = hierarchy.ranks();
  request.root = isRooted(collective) ? root : kNoRank;
  request.hierarchy = &hierarchy;
  for (request.rank = 0; request.rank < request.ranks; ++request.rank) {
    plans.push_back(algorithmNamed(algorithm)->generate(request));
  }
  return plans;
}

std::string faultOf(const std::vector<Plan>& plans) {
  VerifyOptions options;
  options.unequalBlocks = plans.front().collective != Collective::allToAll;
  const auto proof = verify(plans, options);
  return proof.ok() ? "" : proof.error().text;
}

/// Calls visit(sizes) with every way to divide `ranks` among islands in order.
template <class Visit>
void forEachDivision(std::int32_t ranks, Members& sizes, const Visit& visit) {
  if (ranks == 0) return visit(sizes);
  for (std::int32_t first = 1; first <= ranks; ++first) {
    sizes.push_back(first);
    forEachDivision(ranks - first, sizes, visit);
    sizes.pop_back();
  }
}

/// Any algorithms of the catalogue that can be composed so.
std::vector<LevelAlgorithms> randomLevels(std::mt19937& random, const Hierarchy& hierarchy, const Wanted& wanted) {
  const auto any = [&](std::optional<Collective> collective) -> const Algorithm* {
    if (!collective) return nullptr;
    std::vector<const Algorithm*> serving;
    for (const Algorithm& algorithm : catalogue()) {
      if (algorithm.serves(*collective, 2, false) && algorithm.phases == nullptr) serving.push_back(&algorithm);
    }
    return serving[std::uniform_int_distribution<std::size_t>(0, serving.size() - 1)(random)];
  };
  while (true) {
    std::vector<LevelAlgorithms> levels;
    for (int level = 0; level < hierarchy.levels(); ++level) {
      const auto runs = levelCollectives(wanted.collective, wanted.division, level == hierarchy.levels() - 1);
      levels.push_back({any(runs.inward), any(runs.outward)});
    }
    if (planOf(hierarchy, levels, 0, wanted).ok()) return levels;
  }
}

std::vector<std::string> namesOf(const std::vector<LevelAlgorithms>& levels) {
  std::vector<std::string> names;
  for (const LevelAlgorithms& level : levels) {
    names.push_back(fmt::format("{}/{}", level.inward == nullptr ? "" : level.inward->name,
                                level.outward == nullptr ? "" : level.outward->name));
  }
  return names;
}

/// Of the payload, what each rank sends to other islands and takes from them.
struct Crossing {
  std::vector<double> out;
  std::vector<double> in;
};

Crossing crossingOf(const std::vector<Plan>& plans, const Hierarchy& hierarchy) {
  Crossing crossing{std::vector<double>(plans.size(), 0), std::vector<double>(plans.size(), 0)};
  for (const Plan& plan : plans) {
    forEachStep(plan, [&](const Step& step, std::int32_t repeat) {
      for (const Peer& peer : step.to) {
        if (hierarchy.groupOf(0, peer.rank) == hierarchy.groupOf(0, plan.rank)) continue;
        const double part = repeat * static_cast<double>(step.chunk.span) / step.chunk.parts / plan.shares;
        crossing.out[static_cast<std::size_t>(plan.rank)] += part;
        crossing.in[static_cast<std::size_t>(peer.rank)] += part;
      }
    });
  }
  return crossing;
}

double ofIsland(const std::vector<double>& byRank, const Hierarchy& hierarchy, std::int32_t island) {
  double sum = 0;
  for (const Rank rank : hierarchy.ranksOf(0, island)) sum += byRank[static_cast<std::size_t>(rank)];
  return sum;
}

TEST(Compositions, EveryTreeOfTwoLevelsAndUpTo7Ranks_IsRight) {
  std::mt19937 random(3);
  for (std::int32_t ranks = 2; ranks <= 7; ++ranks) {
    Members sizes;
    forEachDivision(ranks, sizes, [&](const Members& islands) {
      std::vector<Rank> shuffled(static_cast<std::size_t>(ranks));
      std::iota(shuffled.begin(), shuffled.end(), 0);
      std::ranges::shuffle(shuffled, random);
      for (const auto& rankAt : {std::vector<Rank>{}, shuffled}) {
        const Hierarchy hierarchy = tree({islands, {static_cast<std::int32_t>(islands.size())}}, rankAt);
        for (const Collective collective : kComposed) {
          for (Rank root = 0; root < (isRooted(collective) ? ranks : 1); ++root) {
            for (const char* const algorithm : kHierarchical) {
              ASSERT_EQ(faultOf(familyOf(algorithm, hierarchy, collective, root)), "")
                  << algorithm << ": " << describe(hierarchy, {.collective = collective, .root = root});
            }
          }
        }
      }
    });
  }
}

TEST(Compositions, EveryPairOfAlgorithmsOnTwoLevels_IsRight) {
  int proved = 0;
  for (const Collective collective : kComposed) {
    for (const Division division : {Division::slices, Division::leaders}) {
      Wanted wanted{.collective = collective, .division = division, .root = isRooted(collective) ? 4 : kNoRank};
      const LevelCollectives inner = levelCollectives(collective, division, false);
      const auto serving = [](std::optional<Collective> wantedOne) {
        std::vector<const Algorithm*> all;
        for (const Algorithm& algorithm : catalogue()) {
          if (wantedOne && algorithm.serves(*wantedOne, 2, false)) all.push_back(&algorithm);
        }
        if (!wantedOne) all.push_back(nullptr);
        return all;
      };
      for (const Algorithm* const inward : serving(inner.inward)) {
        for (const Algorithm* const outward : serving(inner.outward)) {
          for (const Algorithm* const top : serving(collective)) {
            const std::vector<LevelAlgorithms> levels = {{inward, outward}, {top, nullptr}};
            for (const auto& hierarchy :
                 {tree({{4}, {4}}), tree({{3}, {5}}), tree({{4, 2, 1}, {3}}), tree({{2, 3}, {2}}, {4, 1, 0, 3, 2})}) {
              if (!planOf(hierarchy, levels, 0, wanted).ok()) continue;  // a power of two wanted, or lanes of its own
              ASSERT_EQ(fault(hierarchy, levels, wanted), "")
                  << describe(hierarchy, wanted) << ": " << namesOf(levels)[0] << " " << namesOf(levels)[1];
              ++proved;
            }
          }
        }
      }
    }
  }
  EXPECT_GT(proved, 1000);
}

TEST(Compositions, RandomTreesUpTo64Ranks_AreRight) {
  std::mt19937 random(1);
  for (int sample = 0; sample < 400; ++sample) {
    const Hierarchy hierarchy = randomTree(random);
    for (const Collective collective : kComposed) {
      for (const Division division : {Division::slices, Division::leaders}) {
        Wanted wanted{.collective = collective, .division = division, .shares = 1 + sample % 2};
        if (isRooted(collective)) wanted.root = std::uniform_int_distribution(0, hierarchy.ranks() - 1)(random);
        const auto levels = randomLevels(random, hierarchy, wanted);
        ASSERT_EQ(fault(hierarchy, levels, wanted), "")
            << describe(hierarchy, wanted) << fmt::format(": {}", namesOf(levels));
      }
    }
  }
}

TEST(Compositions, UplinksCarryTheLeastAndEveryRankItsPart) {
  const Hierarchy hierarchy = tree({{4}, {3}}, {0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11});
  const auto partsOf = [&](Collective collective) {
    return crossingOf(familyOf("hierarchical", hierarchy, collective, 4), hierarchy);
  };
  const auto byRank = [](double island) { return testing::Each(testing::DoubleNear(island / 4, 1e-9)); };
  EXPECT_THAT(partsOf(Collective::allReduce).out, byRank(2 * 2 / 3.0));
  EXPECT_THAT(partsOf(Collective::reduceScatter).out, byRank(2 / 3.0));
  EXPECT_THAT(partsOf(Collective::allGather).in, byRank(2 / 3.0));
  const Crossing broadcast = partsOf(Collective::broadcast);
  const Crossing reduce = partsOf(Collective::reduce);
  for (Rank rank = 0; rank < 12; ++rank) {
    const auto r = static_cast<std::size_t>(rank);
    const bool withRoot = rank % 3 == 1;
    EXPECT_DOUBLE_EQ(broadcast.in[r], withRoot ? 0 : 1 / 4.0);
    EXPECT_LE(broadcast.out[r], 1 / 4.0);
    EXPECT_DOUBLE_EQ(reduce.out[r], withRoot ? 0 : 1 / 4.0);
    EXPECT_LE(reduce.in[r], 1 / 4.0);
  }
}

TEST(Compositions, UplinksOfUnequalIslands_CarryTheLeast) {
  const Hierarchy hierarchy = tree({{3, 5, 1}, {3}});
  const auto partsOf = [&](Collective collective) {
    return crossingOf(familyOf("hierarchical", hierarchy, collective, 4), hierarchy);
  };
  for (std::int32_t island = 0; island < 3; ++island) {
    const double others = 1 - hierarchy.members(0, island) / 9.0;
    EXPECT_DOUBLE_EQ(ofIsland(partsOf(Collective::allReduce).out, hierarchy, island), 2 * 2 / 3.0);
    EXPECT_DOUBLE_EQ(ofIsland(partsOf(Collective::reduceScatter).out, hierarchy, island), others);
    EXPECT_DOUBLE_EQ(ofIsland(partsOf(Collective::allGather).in, hierarchy, island), others);
    EXPECT_DOUBLE_EQ(ofIsland(partsOf(Collective::broadcast).in, hierarchy, island), island == 1 ? 0 : 1);
    EXPECT_DOUBLE_EQ(ofIsland(partsOf(Collective::reduce).out, hierarchy, island), island == 1 ? 0 : 1);
  }
}

TEST(Compositions, Leaders_SendOneMessageWhereSlicesTakeOneEach) {
  const Hierarchy hierarchy = tree({{8}, {2}});
  for (const Collective collective : kComposed) {
    const auto crossings = [&](const char* algorithm) {
      int messages = 0;
      for (const Plan& plan : familyOf(algorithm, hierarchy, collective, 3)) {
        forEachStep(plan, [&](const Step& step, std::int32_t repeat) {
          for (const Peer& peer : step.to) messages += peer.rank / 8 == plan.rank / 8 ? 0 : repeat;
        });
      }
      return messages;
    };
    const bool bothWays = collective != Collective::broadcast && collective != Collective::reduce;
    const int cut = collective == Collective::allToAll ? 64 / 16 : 1;  // no message has more blocks than the payload
    EXPECT_EQ(crossings("hierarchical-leader"), (bothWays ? 2 : 1) * cut) << atl::nameOf(collective);
    EXPECT_GE(crossings("hierarchical"), bothWays ? 16 : 8) << atl::nameOf(collective);
  }
}

/// Messages and blocks that a rank sends to other islands in an all-to-all.
std::pair<int, int> sentBetween(const Plan& plan, const Hierarchy& hierarchy) {
  int messages = 0;
  int blocks = 0;
  forEachStep(plan, [&](const Step& step, std::int32_t repeat) {
    for (const Peer& peer : step.to) {
      if (hierarchy.groupOf(0, peer.rank) == hierarchy.groupOf(0, plan.rank)) continue;
      messages += repeat;
      blocks += repeat * step.chunk.span;
    }
  });
  return {messages, blocks};
}

TEST(Compositions, AllToAll_SendsOneMessageToEachIsland) {
  for (const auto& hierarchy : {tree({{4}, {5}}), tree({{2}, {2}}, {0, 2, 1, 3})}) {
    const std::int32_t ofIsland = hierarchy.members(0, 0);
    const std::int32_t islands = hierarchy.groups(0);
    for (const Plan& plan : familyOf("hierarchical", hierarchy, Collective::allToAll, kNoRank)) {
      const auto [messages, blocks] = sentBetween(plan, hierarchy);
      EXPECT_EQ(messages, islands - 1);
      EXPECT_EQ(blocks, (islands - 1) * ofIsland);
    }
  }
}

TEST(Compositions, AllToAll_MessagesOfMoreBlocksThanThePayload_AreCut) {
  // A host of ten speaks for ten ranks to each of nine pods of two, of which the slice's owners take all together.
  Members hosts(20, 1);
  hosts[0] = 10;
  const Hierarchy hierarchy = tree({hosts, Members(10, 2), {10}});
  const std::vector<Plan> plans = familyOf("hierarchical", hierarchy, Collective::allToAll, kNoRank);
  EXPECT_EQ(faultOf(plans), "");
  const auto sendsTwiceToOne = [](const Plan& plan) {
    return std::ranges::any_of(plan.lanes.front().loops.front().rounds, [](const Round& round) {
      std::vector<Rank> to;
      for (const Step& step : round.steps) {
        for (const Peer& peer : step.to) to.push_back(peer.rank);
      }
      std::ranges::sort(to);
      return std::ranges::adjacent_find(to) != to.end();
    });
  };
  EXPECT_TRUE(std::ranges::any_of(plans, sendsTwiceToOne));
}

std::size_t stepsOf(const char* algorithm, const Hierarchy& hierarchy, Collective collective, Rank rank) {
  PlanRequest request;
  request.collective = collective;
  request.ranks = hierarchy.ranks();
  request.rank = rank;
  request.root = isRooted(collective) ? hierarchy.ranks() / 3 : kNoRank;
  request.hierarchy = &hierarchy;
  std::size_t steps = 0;
  forEachStep(algorithmNamed(algorithm)->generate(request), [&](const Step&, std::int32_t) { ++steps; });
  return steps;
}

TEST(Compositions, OfAHundredThousandRanks_AreSmall) {
  const Hierarchy hierarchy = tree({{8}, {32}, {400}});
  for (const Collective collective : {Collective::allReduce, Collective::reduce, Collective::broadcast}) {
    for (const char* const algorithm : {"hierarchical", "hierarchical-leader"}) {
      for (const Rank rank : {0, 34'133, 77'777}) {
        EXPECT_LT(stepsOf(algorithm, hierarchy, collective, rank), 4U * (8 + 32 + 400))
            << algorithm << ", " << atl::nameOf(collective) << ", rank " << rank;
      }
    }
  }
}

TEST(Compositions, WithABlockForEachRank_HaveStepsInProportionToTheBlocks) {
  const Hierarchy hierarchy = tree({{8}, {32}, {16}});
  for (const Collective collective : {Collective::allGather, Collective::reduceScatter, Collective::allToAll}) {
    for (const char* const algorithm : {"hierarchical", "hierarchical-leader"}) {
      for (const Rank rank : {0, 333, 4095}) {
        // With leaders an all-to-all's leader handles all blocks of its group's ranks.
        const Rank held = collective == Collective::allToAll && algorithm == std::string_view("hierarchical-leader")
                              ? (rank == 0 ? 256 : 1)
                              : 1;
        EXPECT_LT(stepsOf(algorithm, hierarchy, collective, rank), 4U * 4096 * held)
            << algorithm << ", " << atl::nameOf(collective) << ", rank " << rank;
      }
    }
  }
}

TEST(Compositions, WithARankOfAnotherTree_AreRefused) {
  const Hierarchy hierarchy = tree({{3, 2}, {2}});
  for (const Collective collective : kComposed) {
    for (const char* const algorithm : kHierarchical) {
      const std::vector<Plan> right = familyOf(algorithm, hierarchy, collective, 1);
      ASSERT_EQ(faultOf(right), "");
      for (const Hierarchy& other : {tree({{2, 3}, {2}}), tree({{3, 2}, {2}}, {0, 4, 2, 3, 1}), tree({{1, 4}, {2}})}) {
        std::vector<Plan> wrong = familyOf(algorithm, other, collective, 1);
        int refused = 0;
        for (std::size_t rank = 0; rank < right.size(); ++rank) {
          std::vector<Plan> mixed = right;
          mixed[rank] = wrong[rank];
          mixed[rank].familyHash = right[rank].familyHash;
          refused += faultOf(mixed).empty() ? 0 : 1;  // a leaf's plan may well be the same in both
        }
        EXPECT_GE(refused, 2) << algorithm << ", " << atl::nameOf(collective);
      }
    }
  }
}

TEST(Compositions, ThatLackAStep_AreRefused) {
  const Hierarchy hierarchy = tree({{3, 2}, {2}});
  int refused = 0;
  for (const Collective collective : kComposed) {
    for (const char* const algorithm : kHierarchical) {
      const std::vector<Plan> right = familyOf(algorithm, hierarchy, collective, 1);
      for (std::size_t rank = 0; rank < right.size(); ++rank) {
        std::vector<Plan> lacking = right;
        for (Loop& loop : lacking[rank].lanes.front().loops) {
          for (Round& round : loop.rounds) {
            for (std::size_t at = 0; at < round.steps.size(); ++at) {
              const Step step = round.steps[at];
              round.steps.erase(round.steps.begin() + static_cast<std::ptrdiff_t>(at));
              EXPECT_NE(faultOf(lacking), "") << algorithm << ", " << atl::nameOf(collective) << ", rank " << rank;
              round.steps.insert(round.steps.begin() + static_cast<std::ptrdiff_t>(at), step);
              ++refused;
            }
          }
        }
      }
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace atl::plan
