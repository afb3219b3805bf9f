// SPDX-License-Identifier: Apache-2.0
#include "src/topology/topology.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using plan::Hierarchy;
using testing::HasSubstr;

Level levelOf(std::string name, double bandwidth, LevelKind kind = LevelKind::switched) {
  Level level;
  level.name = std::move(name);
  level.kind = kind;
  level.bandwidth = bandwidth;
  level.latency = 1e-6;
  return level;
}

Hierarchy treeOf(const std::vector<Hierarchy::Members>& members) {
  return Hierarchy::make(members).value();
}

std::string refusal(std::vector<Hierarchy::Members> members, std::vector<Level> levels, Topology::Labels labels = {}) {
  const auto made = Topology::make("t", treeOf(members), std::move(levels), std::move(labels));
  return made.ok() ? "no error" : made.error().text;
}

TEST(Topology, Uplinks_CountPortsOfUnequalIslandsAndOversubscription) {
  Level host = levelOf("host", 400e9);
  host.usable = 0.5;
  Level cluster = levelOf("cluster", 50e9);
  cluster.oversubscription = 2;
  const auto made = Topology::make("t", treeOf({{8, 4, 1}, {3}}), {host, cluster});
  ASSERT_TRUE(made.ok()) << made.error().text;
  EXPECT_DOUBLE_EQ(made->uplinkRate(0, 3), 200e9);
  EXPECT_EQ(made->portsOf(1, 0), 8);
  EXPECT_DOUBLE_EQ(made->uplinkRate(1, 0), 200e9);
  EXPECT_DOUBLE_EQ(made->uplinkRate(1, 2), 25e9);
  EXPECT_DOUBLE_EQ(made->rateOfEach(1), 25e9);
}

TEST(Topology, PortsSharedByAnIsland_AreSharedByItsRanks) {
  Level pod = levelOf("pod", 25e9);
  pod.ports = {4, 0};  // four cards in each host
  Level core = levelOf("core", 25e9, LevelKind::fatTree);
  core.ports = {4, 0};
  core.oversubscription = 4;
  const auto made = Topology::make("t", treeOf({{8}, {2, 3}, {2}}), {levelOf("host", 100e9), pod, core});
  ASSERT_TRUE(made.ok()) << made.error().text;
  EXPECT_DOUBLE_EQ(made->uplinkRate(1, 4), 100e9);
  EXPECT_DOUBLE_EQ(made->rateOfEach(1), 12.5e9);
  EXPECT_EQ(made->portsOf(2, 0), 8);
  EXPECT_EQ(made->portsOf(2, 1), 12);
  EXPECT_DOUBLE_EQ(made->uplinkRate(2, 1), 75e9);
}

TEST(Topology, Latency_GrowsWithHopsInATorus) {
  Level cube = levelOf("cube", 50e9, LevelKind::torus);
  cube.dims = {4, 4, 4};
  cube.hopLatency = 1e-7;
  const auto made = Topology::make("t", treeOf({{64}}), {cube});
  ASSERT_TRUE(made.ok()) << made.error().text;
  EXPECT_DOUBLE_EQ(made->latency(0, 0), 0);
  EXPECT_DOUBLE_EQ(made->latency(0, 3), 1e-6);             // round the ring
  EXPECT_DOUBLE_EQ(made->latency(0, 2 + 8 + 32), 1.5e-6);  // two hops in each direction
}

TEST(Topology, HopsInRingsAndMeshes) {
  Level line = levelOf("line", 1, LevelKind::mesh);
  line.dims = {5};
  EXPECT_EQ(hopsBetween(line, 5, 0, 4), 4);
  EXPECT_EQ(hopsBetween(levelOf("ring", 1, LevelKind::ring), 5, 0, 4), 1);
  EXPECT_EQ(hopsBetween(levelOf("switch", 1), 5, 0, 4), 1);
}

TEST(Topology, Labels_OrNamesWithNumbers) {
  const auto made = Topology::make("t", treeOf({{2}, {2}}), {levelOf("host", 0), levelOf("net", 0)}, {{"n1", "n7"}});
  ASSERT_TRUE(made.ok()) << made.error().text;
  EXPECT_EQ(made->label(0, 1), "n7");
  EXPECT_EQ(made->label(1, 0), "net");
  const auto bare = Topology::make("t", treeOf({{2}, {2}}), {levelOf("host", 0), levelOf("net", 0)});
  EXPECT_EQ(bare->label(0, 1), "host 1");
}

TEST(Topology, Subset_KeepsLabelsAndDropsDimensionsThatNoLongerHold) {
  Level grid = levelOf("grid", 0, LevelKind::mesh);
  grid.dims = {2};
  const auto made = Topology::make("t", treeOf({{2}, {3}}), {grid, levelOf("net", 0)}, {{"a", "b", "c"}});
  ASSERT_TRUE(made.ok()) << made.error().text;
  const std::vector<Rank> chosen = {5, 4, 0};
  const Topology part = made->subset(chosen);
  EXPECT_EQ(part.ranks(), 3);
  EXPECT_EQ(part.label(0, 0), "a");
  EXPECT_EQ(part.label(0, 1), "c");
  EXPECT_TRUE(part.level(0).dims.empty());
}

TEST(Topology, JoiningLevels_DropsIslandsOfOneMember) {
  Level rack = levelOf("rack", 0);
  Level net = levelOf("net", 1e9);
  net.ports = {2, 0};  // for each host
  const auto made =
      Topology::make("t", treeOf({{1}, {4}, {1}}), {levelOf("host", 0), net, rack}, {{"n0", "n1", "n2", "n3"}});
  ASSERT_TRUE(made.ok()) << made.error().text;
  const Topology kept = made->joiningLevels();
  ASSERT_EQ(kept.hierarchy().levels(), 1);
  EXPECT_EQ(kept.level(0).name, "net");
  EXPECT_EQ(kept.portsOf(0, 0), 2);
  EXPECT_FALSE(kept.hasLabels(0));
}

TEST(Topology, JoiningLevels_OfOneRankIsOneLevel) {
  const auto made = Topology::make("t", treeOf({{1}, {1}}), {levelOf("host", 0), levelOf("net", 0)});
  ASSERT_TRUE(made.ok()) << made.error().text;
  EXPECT_EQ(made->joiningLevels().hierarchy().levels(), 1);
}

TEST(Topology, WrongLevels_AreRefusedWithFieldAndValue) {
  Level bad = levelOf("host", 0);
  EXPECT_THAT(refusal({{2}, {2}}, {bad}), HasSubstr("1 levels are described, but the tree has 2"));
  bad.usable = 1.5;
  EXPECT_THAT(refusal({{2}}, {bad}), HasSubstr("level 0: usable: 1.5 is not a share"));
  bad = levelOf("host", 0);
  bad.oversubscription = 0.5;
  EXPECT_THAT(refusal({{2}}, {bad}), HasSubstr("oversubscription: 0.5"));
  bad = levelOf("host", 0);
  bad.ports.per = 0;
  EXPECT_THAT(refusal({{2}}, {bad}), HasSubstr("ports: "));
  bad = levelOf("a b", 0);
  EXPECT_THAT(refusal({{2}}, {bad}), HasSubstr("name: 'a b'"));
  bad = levelOf("host", 0);
  bad.dims = {2};
  EXPECT_THAT(refusal({{2}}, {bad}), HasSubstr("dims: only a torus or mesh"));
  bad.kind = LevelKind::torus;
  bad.dims = {3, 2};
  EXPECT_THAT(refusal({{4}}, {bad}), HasSubstr("dims: 3 × 2 makes 6 members, but the host has 4"));
  EXPECT_THAT(refusal({{2}, {2}}, {levelOf("a", 0), levelOf("a", 0)}), HasSubstr("level 1: name: 'a' is the name"));
  EXPECT_THAT(refusal({{2}, {2}}, {levelOf("a", 0), levelOf("b", 0)}, {{"x"}}),
              HasSubstr("level 0 has 2 islands, but 1 labels"));
}

TEST(Topology, ARegularSystemOfAHundredThousandRanks_IsSmall) {
  const auto made =
      Topology::make("t", treeOf({{8}, {128}, {100}}), {levelOf("host", 1), levelOf("pod", 1), levelOf("cluster", 1)});
  ASSERT_TRUE(made.ok()) << made.error().text;
  EXPECT_LT(made->bytesHeld(), 4096U);
}

}  // namespace
}  // namespace atl
