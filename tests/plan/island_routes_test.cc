// SPDX-License-Identifier: Apache-2.0
// Rings, chains and trees among islands: proved, and no island is entered or left more often than it must be.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "src/plan/algorithms/island_order.h"
#include "tests/plan/families.h"
#include "tests/plan/random_tree.h"

namespace atl::plan {
namespace {

using testing::UnorderedElementsAre;

/// What goes along rings, and what along trees.
constexpr std::pair<const char*, Collective> kRoutes[] = {
    {"ring", Collective::allReduce},     {"ring", Collective::reduceScatter},
    {"ring", Collective::allGather},     {"ring", Collective::broadcast},
    {"ring", Collective::reduce},        {"chain", Collective::broadcast},
    {"chain", Collective::reduce},       {"double-binary-tree", Collective::allReduce},
    {"binomial", Collective::reduce},    {"double-binary-tree", Collective::broadcast},
    {"binomial", Collective::broadcast}, {"double-binary-tree", Collective::reduce},
    {"binomial", Collective::allReduce},
};

struct Route {
  const Algorithm* algorithm;
  Collective collective;
  Rank root;
  std::int32_t shares;

  [[nodiscard]] std::string text() const {
    return fmt::format("{} {}, root {}, {} shares", algorithm->name, atl::nameOf(collective), root, shares);
  }
  [[nodiscard]] bool isTree() const { return algorithm->name == "double-binary-tree" || algorithm->name == "binomial"; }
};

std::vector<Plan> plansOf(const Route& route, const Hierarchy& hierarchy) {
  std::vector<Plan> plans;
  for (Rank rank = 0; rank < hierarchy.ranks(); ++rank) {
    PlanRequest request;
    request.collective = route.collective;
    request.ranks = hierarchy.ranks();
    request.rank = rank;
    request.root = route.root;
    request.shares = route.shares;
    request.hierarchy = &hierarchy;
    plans.push_back(route.algorithm->generate(request));
  }
  return plans;
}

/// Who sends to whom in each lane.
using Links = std::map<std::size_t, std::set<std::pair<Rank, Rank>>>;

Links linksOf(const std::vector<Plan>& plans) {
  Links links;
  for (const Plan& plan : plans) {
    for (std::size_t lane = 0; lane < plan.lanes.size(); ++lane) {
      for (const Loop& loop : plan.lanes[lane].loops) {
        for (const Round& round : loop.rounds) {
          for (const Step& step : round.steps) {
            for (const Peer& peer : step.to) links[lane].insert({plan.rank, peer.rank});
          }
        }
      }
    }
  }
  return links;
}

/// The most links of one lane that lead into a group of the level, and the most that lead out of one.
std::pair<int, int> mostInAndOut(const Links& links, const Hierarchy& hierarchy, int level) {
  std::pair<int, int> most{0, 0};
  for (const auto& [lane, pairs] : links) {
    std::map<std::int32_t, int> into;
    std::map<std::int32_t, int> outOf;
    for (const auto& [from, to] : pairs) {
      if (hierarchy.groupOf(level, from) == hierarchy.groupOf(level, to)) continue;
      most.first = std::max(most.first, ++into[hierarchy.groupOf(level, to)]);
      most.second = std::max(most.second, ++outOf[hierarchy.groupOf(level, from)]);
    }
  }
  return most;
}

/// Links of a lane, whichever way they lead, whose ends have the level as the first that they share.
int joinedAt(const std::set<std::pair<Rank, Rank>>& pairs, const Hierarchy& hierarchy, int level) {
  std::set<std::pair<Rank, Rank>> joined;
  for (const auto& [from, to] : pairs) {
    if (hierarchy.commonLevel(from, to) == level) joined.insert(std::minmax(from, to));
  }
  return static_cast<int>(joined.size());
}

/// Fails where a ring or chain comes into a group or leaves it twice, or a tree has more links at a level than members
/// of its groups to join.
void expectFewestCrossings(const Route& route, const Hierarchy& hierarchy) {
  const Links links = linksOf(plansOf(route, hierarchy));
  for (int level = 0; level < hierarchy.levels(); ++level) {
    SCOPED_TRACE(fmt::format("{} at level {}", route.text(), level));
    if (!route.isTree()) {
      const auto [into, outOf] = mostInAndOut(links, hierarchy, level);
      ASSERT_LE(into, 1);
      ASSERT_LE(outOf, 1);
      continue;
    }
    int least = 0;
    for (std::int32_t group = 0; group < hierarchy.groups(level); ++group) least += hierarchy.members(level, group) - 1;
    for (const auto& [lane, pairs] : links) ASSERT_EQ(joinedAt(pairs, hierarchy, level), least) << "lane " << lane;
  }
}

TEST(IslandRoutes, RandomTreesOfIslands_AreProvedAndCrossedLeast) {
  std::mt19937 random(17);
  for (int sample = 0; sample < 120; ++sample) {
    const Hierarchy hierarchy = randomTree(random);
    const Rank anyRank = std::uniform_int_distribution<Rank>(0, hierarchy.ranks() - 1)(random);
    for (const auto& [name, collective] : kRoutes) {
      const Route route{algorithmNamed(name), collective, isRooted(collective) ? anyRank : kNoRank, 1 + sample % 5};
      const std::vector<Plan> plans = plansOf(route, hierarchy);
      VerifyOptions options;
      options.unequalBlocks = route.algorithm->unequalBlocks;
      const auto proof = verify(plans, options);
      ASSERT_TRUE(proof.ok()) << route.text() << ", sample " << sample << ": " << proof.error().text;
      options.inPlace = true;
      ASSERT_EQ(verify(plans, options).ok(), std::ranges::all_of(plans, safeInPlace)) << route.text();
      ASSERT_NO_FATAL_FAILURE(expectFewestCrossings(route, hierarchy)) << "sample " << sample;
    }
  }
}

/// The ranks of island 0 to which others send, over all lanes.
std::set<Rank> entriesOf(const Route& route, const Hierarchy& hierarchy) {
  std::set<Rank> entries;
  for (const auto& [lane, pairs] : linksOf(plansOf(route, hierarchy))) {
    for (const auto& [from, to] : pairs) {
      if (hierarchy.groupOf(0, to) == 0 && hierarchy.groupOf(0, from) != 0) entries.insert(to);
    }
  }
  return entries;
}

TEST(IslandRoutes, SharesEnterIslandsByDifferentMembers) {
  const Hierarchy hierarchy = tree({{4}, {3}});
  const Route ring{algorithmNamed("ring"), Collective::allReduce, kNoRank, 4};
  EXPECT_THAT(entriesOf(ring, hierarchy), UnorderedElementsAre(0, 1, 2, 3));
  const Route twoTrees{algorithmNamed("double-binary-tree"), Collective::allReduce, kNoRank, 2};
  EXPECT_THAT(entriesOf(twoTrees, hierarchy), UnorderedElementsAre(0, 1, 2, 3));
}

TEST(IslandRoutes, SharesOfDeeperTrees_EnterHostsByDifferentRanks) {
  const Hierarchy hierarchy = tree({{8}, {2}, {3}});
  const Route ring{algorithmNamed("ring"), Collective::allReduce, kNoRank, 8};
  EXPECT_EQ(entriesOf(ring, hierarchy).size(), 8U);
}

TEST(IslandRoutes, SharesOfDeeperTrees_EnterPodsByDifferentHosts) {
  const Hierarchy hierarchy = tree({{2}, {4}, {2}});
  const Route ring{algorithmNamed("ring"), Collective::allReduce, kNoRank, 4};
  std::set<std::int32_t> hosts;
  for (const auto& [lane, pairs] : linksOf(plansOf(ring, hierarchy))) {
    for (const auto& [from, to] : pairs) {
      if (hierarchy.commonLevel(from, to) == 2 && hierarchy.groupOf(1, to) == 0)
        hosts.insert(hierarchy.memberOf(1, to));
    }
  }
  EXPECT_THAT(hosts, UnorderedElementsAre(0, 1, 2, 3));
}

TEST(IslandRoutes, RanksPlacedByNode_NeedNoMoreLinksThanBySlot) {
  const std::vector<Rank> byNode = {0, 3, 6, 1, 4, 7, 2, 5, 8};
  const Route ring{algorithmNamed("ring"), Collective::allReduce, kNoRank, 1};
  EXPECT_EQ(joinedAt(linksOf(plansOf(ring, tree({{3}, {3}}, byNode)))[0], tree({{3}, {3}}, byNode), 1), 3);
  EXPECT_EQ(joinedAt(linksOf(plansOf(ring, tree({{3}, {3}})))[0], tree({{3}, {3}}), 1), 3);
}

TEST(IslandRoutes, DifferentHierarchies_AreDifferentFamilies) {
  std::set<std::uint64_t> hashes;
  for (const auto& hierarchy :
       {tree({{6}}), tree({{3}, {2}}), tree({{2}, {3}}), tree({{3}, {2}}, {0, 2, 4, 1, 3, 5})}) {
    const Route ring{algorithmNamed("ring"), Collective::allReduce, kNoRank, 1};
    hashes.insert(plansOf(ring, hierarchy)[0].familyHash);
  }
  EXPECT_EQ(hashes.size(), 4U);
}

TEST(IslandOrder, SeatsAndRanks_AreInversesOfEachOther) {
  std::mt19937 random(3);
  for (int sample = 0; sample < 200; ++sample) {
    const Hierarchy hierarchy = randomTree(random);
    PlanRequest request;
    request.ranks = hierarchy.ranks();
    request.hierarchy = &hierarchy;
    if (sample % 2 == 0) request.root = std::uniform_int_distribution<Rank>(0, hierarchy.ranks() - 1)(random);
    for (std::int32_t share = 0; share < 8; ++share) {
      const IslandOrder order(request, share);
      std::set<Rank> seats;
      for (Rank rank = 0; rank < hierarchy.ranks(); ++rank) {
        ASSERT_EQ(order.rankAt(order.seatOf(rank)), rank);
        seats.insert(order.seatOf(rank));
      }
      ASSERT_EQ(*seats.rbegin(), hierarchy.ranks() - 1);
    }
  }
}

TEST(IslandOrder, InOrder_KeepsPlansAsShortAsWithoutIslands) {
  const Hierarchy hierarchy = tree({{8}, {4}});
  const Route gather{algorithmNamed("ring"), Collective::allGather, kNoRank, 2};
  EXPECT_EQ(stepsWritten(plansOf(gather, hierarchy)[5]),
            stepsWritten(planOf(Pairing{gather.algorithm, gather.collective}, 32, 5, kNoRank, 2)));
}

}  // namespace
}  // namespace atl::plan
