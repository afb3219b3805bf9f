// SPDX-License-Identifier: Apache-2.0
// From what processes say of themselves to islands: what is discovered, what is told, and which goes first.
#include "src/topology/assemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

namespace atl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::uint32_t> onePerProcess(std::size_t processes) {
  std::vector<std::uint32_t> processOf(processes);
  std::iota(processOf.begin(), processOf.end(), 0U);
  return processOf;
}

Topology made(const std::vector<ProcessPlace>& processes, const TopologyDescription* told = nullptr) {
  auto result = assembleTopology(processes, onePerProcess(processes.size()), told);
  if (!result.ok()) throw std::runtime_error(result.error().text);
  return std::move(result).value();
}

std::string refusal(const std::vector<ProcessPlace>& processes, const TopologyDescription* told = nullptr) {
  const auto result = assembleTopology(processes, onePerProcess(processes.size()), told);
  return result.ok() ? "no error" : result.error().text;
}

TopologyDescription described(std::string_view levels) {
  auto result =
      TopologyDescription::fromYaml(fmt::format("{{atoll-topology: 1, name: told, levels: [{}]}}", levels), "t");
  if (!result.ok()) throw std::runtime_error(result.error().text);
  return std::move(result).value();
}

ProcessPlace onHost(std::uint64_t host, std::string_view name) {
  ProcessPlace place;
  place.host = host;
  place.hostName = name;
  return place;
}

ProcessPlace toldIsland(std::string_view island) {
  ProcessPlace place = onHost(1, "n1");
  place.island = island;
  return place;
}

std::vector<Rank> ranksOf(const Topology& topology, int level, std::int32_t group) {
  std::vector<Rank> list;
  for (const Rank r : topology.hierarchy().ranksOf(level, group)) list.push_back(r);
  return list;
}

std::vector<std::string> levelNames(const Topology& topology) {
  std::vector<std::string> names;
  for (const Level& level : topology.levels()) names.push_back(level.name);
  return names;
}

TEST(Discovery, HostsInAnyOrderOfRanks) {
  const Topology topology = made({onHost(7, "b"), onHost(3, "a"), onHost(7, "b"), onHost(3, "a"), onHost(3, "a")});
  EXPECT_THAT(levelNames(topology), ElementsAre("host", "network"));
  EXPECT_THAT(ranksOf(topology, 0, 0), ElementsAre(0, 2));
  EXPECT_THAT(ranksOf(topology, 0, 1), ElementsAre(1, 3, 4));
  EXPECT_EQ(topology.label(0, 1), "a");
}

TEST(Discovery, OneHostOrOneRankAHost_IsOneLevel) {
  EXPECT_THAT(levelNames(made({onHost(1, "a"), onHost(1, "a")})), ElementsAre("host"));
  EXPECT_THAT(levelNames(made({onHost(1, "a"), onHost(2, "b")})), ElementsAre("network"));
  EXPECT_EQ(made({onHost(1, "a")}).hierarchy().levels(), 1);
}

TEST(Discovery, RanksOfOneProcessAreTogether) {
  const std::vector<ProcessPlace> processes = {onHost(1, "a"), onHost(2, "b")};
  const std::vector<std::uint32_t> processOf = {0, 0, 1, 1, 1};
  const auto topology = assembleTopology(processes, processOf, nullptr);
  ASSERT_TRUE(topology.ok()) << topology.error().text;
  EXPECT_THAT(ranksOf(*topology, 0, 1), ElementsAre(2, 3, 4));
}

TEST(Discovery, HostsThatBearOneName_HaveNoLabels) {
  const Topology topology = made({onHost(1, "vm"), onHost(1, "vm"), onHost(2, "vm"), onHost(2, "vm")});
  EXPECT_EQ(topology.label(0, 1), "host 1");
}

TEST(Discovery, PackagesCountWhenEveryProcessIsBound) {
  std::vector<ProcessPlace> processes;
  for (const int package : {0, 1, 0, 1}) {
    processes.push_back(onHost(1, "a"));
    processes.back().package = package;
  }
  const Topology bound = made(processes);
  EXPECT_THAT(levelNames(bound), ElementsAre("package", "host"));
  EXPECT_THAT(ranksOf(bound, 0, 1), ElementsAre(1, 3));
  processes[2].package = -1;
  EXPECT_THAT(levelNames(made(processes)), ElementsAre("host"));
}

TEST(Discovery, OnePackageAHost_IsTheHost) {
  std::vector<ProcessPlace> processes = {onHost(1, "a"), onHost(1, "a"), onHost(2, "b")};
  for (ProcessPlace& process : processes) process.package = 0;
  EXPECT_THAT(levelNames(made(processes)), ElementsAre("host", "network"));
}

TEST(Discovery, FabricsJoinHosts) {
  std::vector<ProcessPlace> processes;
  for (std::uint64_t host = 0; host < 8; ++host) {
    processes.push_back(onHost(host / 2, "n"));
    processes.back().fabric = 1 + host / 4;
  }
  const Topology topology = made(processes);
  EXPECT_THAT(levelNames(topology), ElementsAre("host", "nvlink", "network"));
  EXPECT_THAT(ranksOf(topology, 1, 1), ElementsAre(4, 5, 6, 7));
}

TEST(Discovery, NetworkIsAsFastAsItsSlowestPort) {
  std::vector<ProcessPlace> processes = {onHost(1, "a"), onHost(1, "a"), onHost(2, "b"), onHost(2, "b")};
  for (ProcessPlace& process : processes) {
    process.portRate = process.host == 1 ? 25e9 : 12.5e9;
    process.ports = 2;
  }
  const Topology topology = made(processes);
  EXPECT_DOUBLE_EQ(topology.uplinkRate(1, 0), 25e9);
  EXPECT_DOUBLE_EQ(topology.rateOfEach(1), 12.5e9);
  processes[3].portRate = 0;
  EXPECT_DOUBLE_EQ(made(processes).level(1).bandwidth, 0);
}

TEST(ToldIslands, GoBeforeDiscovery) {
  const Topology topology =
      made({toldIsland("pod1/host3"), toldIsland("pod0/host3"), toldIsland("pod1/host4"), toldIsland("pod1/host3")});
  EXPECT_THAT(levelNames(topology), ElementsAre("island", "pod", "network"));
  EXPECT_THAT(ranksOf(topology, 0, 0), ElementsAre(0, 3));
  EXPECT_THAT(ranksOf(topology, 1, 0), ElementsAre(0, 3, 2));
  EXPECT_THAT(ranksOf(topology, 1, 1), ElementsAre(1));
  EXPECT_EQ(topology.label(1, 1), "pod0");
}

TEST(ToldIslands, BearWhatTheirNamesHaveInCommon) {
  EXPECT_THAT(levelNames(made({toldIsland("pod1/host3"), toldIsland("pod0/host4")})),
              ElementsAre("host", "pod", "network"));
  EXPECT_THAT(levelNames(made({toldIsland("x/ada"), toldIsland("y/bea")})),
              ElementsAre("island", "island-1", "network"));
  EXPECT_THAT(levelNames(made({toldIsland("rank1"), toldIsland("rank2")})), ElementsAre("island", "network"));
}

TEST(ToldIslands, OfDifferentDepth_AreAMismatchThatNamesBoth) {
  EXPECT_THAT(refusal({toldIsland("a/b"), toldIsland("a/c"), toldIsland("d")}),
              HasSubstr("different depth: rank 0 has 'a/b', rank 2 has 'd'"));
  EXPECT_THAT(refusal({toldIsland("a"), onHost(1, "n")}), HasSubstr("rank 0 has 'a', rank 1 has no island"));
}

TEST(ToldIslands, TakeTheirNetworksFromAFileOfAsManyLevels) {
  const auto told = described(
      "{name: room, kind: ring, latency: 1 us}, {name: site, kind: switch, bandwidth: 1 Gbit/s, ports: 1 per room}");
  const Topology topology = made({toldIsland("a"), toldIsland("b"), toldIsland("a")}, &told);
  EXPECT_THAT(levelNames(topology), ElementsAre("room", "site"));
  EXPECT_EQ(topology.level(0).kind, LevelKind::ring);
  EXPECT_DOUBLE_EQ(topology.rateOfEach(1), 125e6 / 2);
  EXPECT_THAT(refusal({toldIsland("a/b"), toldIsland("a/b")}, &told),
              HasSubstr("names 2 islands of rank 0 ('a/b'), but the topology file has 2 levels; 3 are needed"));
}

TEST(ToldByFile, MembersPlaceTheRanksWhereTheyAreAsMany) {
  const auto told = described("{name: host, kind: switch, members: [1, 2]}, {name: net, kind: switch, members: 2}");
  EXPECT_THAT(ranksOf(made({onHost(1, "a"), onHost(1, "a"), onHost(1, "a")}, &told), 0, 1), ElementsAre(1, 2));
  EXPECT_THAT(levelNames(made({onHost(1, "a"), onHost(1, "a")}, &told)), ElementsAre("host"));
}

TEST(ToldByFile, DescribesDiscoveredLevelsByName) {
  const auto told = described(
      "{name: host, kind: full-mesh, latency: 1 us}, {name: network, kind: fat-tree, bandwidth: 25 GB/s, ports: 2 per "
      "host, oversubscription: 3}");
  const Topology both = made({onHost(1, "a"), onHost(1, "a"), onHost(2, "b")}, &told);
  EXPECT_EQ(both.name(), "told");
  EXPECT_EQ(both.level(0).kind, LevelKind::fullMesh);
  EXPECT_EQ(both.level(1).ports, (Ports{2, 0}));
  EXPECT_DOUBLE_EQ(both.level(1).oversubscription, 3);
  // With one rank on each host the level of hosts is gone: what was each host's is each rank's.
  const Topology alone = made({onHost(1, "a"), onHost(2, "b")}, &told);
  EXPECT_THAT(levelNames(alone), ElementsAre("network"));
  EXPECT_EQ(alone.level(0).ports, (Ports{2, Ports::kPerRank}));
}

}  // namespace
}  // namespace atl
