// SPDX-License-Identifier: Apache-2.0
// Topology files: what they can say, that they are written as they are read, and how each mistake is named.
#include "src/topology/description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace atl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kCluster = R"(atoll-topology: 1
name: two pods
note: made up
sources:
  - nobody
levels:
  - name: host
    kind: switch
    members: [2 x 8, 7, 9]
    bandwidth: 450 GB/s
    usable: 0.82
    latency: 3.3 us
  - name: pod
    kind: fat-tree
    members: [3, 1]
    bandwidth: 400 Gbit/s
    ports: 4 per host
    planes: 2
    rails: 4
    latency: 5 us
    labels: [east, west]
  - name: core
    kind: circuit
    members: 2
    bandwidth: 400 Gbit/s
    ports: 4 per host
    oversubscription: 7
    switch-time: 10 ms
)";

Result<TopologyDescription> read(std::string_view text) {
  return TopologyDescription::fromYaml(text, "t.yaml");
}

/// The error of a file with one level, whose fields after name and kind are given: they begin in line 5.
std::string levelRefusal(std::string_view fields) {
  const auto result = read(fmt::format("atoll-topology: 1\nlevels:\n  - name: host\n    kind: switch\n{}", fields));
  return result.ok() ? "no error" : result.error().text;
}

std::string refusal(std::string_view text) {
  const auto result = read(text);
  return result.ok() ? "no error" : result.error().text;
}

TEST(TopologyFile, SaysWhatItSays) {
  const auto result = read(kCluster);
  ASSERT_TRUE(result.ok()) << result.error().text;
  const auto topology = result->topology();
  ASSERT_TRUE(topology.has_value());
  EXPECT_EQ(topology->name(), "two pods");
  EXPECT_EQ(topology->ranks(), 32);
  EXPECT_EQ(topology->hierarchy().ranksOf(0, 3).size(), 9);
  EXPECT_EQ(topology->hierarchy().ranksOf(1, 1).size(), 9);
  EXPECT_EQ(topology->label(1, 1), "west");
  EXPECT_DOUBLE_EQ(topology->portRate(0), 369e9);
  EXPECT_EQ(topology->portsOf(2, 0), 12);
  EXPECT_DOUBLE_EQ(topology->level(2).switchTime, 0.01);
  EXPECT_EQ(topology->level(1).planes, 2);
  EXPECT_THAT(result->sources, ElementsAre("nobody"));
}

TEST(TopologyFile, IsWrittenAsItIsRead) {
  for (const std::string& more : {std::string(), std::string("placement: by-island\n"),
                                  std::string("placement: [8-31, 0-7]\n"), std::string("placement: by-slot\n")}) {
    const auto first = read(kCluster + more);
    ASSERT_TRUE(first.ok()) << first.error().text;
    const auto again = read(first->toYaml());
    ASSERT_TRUE(again.ok()) << again.error().text << "\n" << first->toYaml();
    EXPECT_EQ(*first, *again) << first->toYaml();
  }
}

TEST(TopologyFile, DescribesATopology) {
  const Topology topology = *read(kCluster).value().topology();
  EXPECT_EQ(read(TopologyDescription::of(topology).toYaml()).value().topology(), topology);
}

TEST(TopologyFile, PlacementByIsland_DealsRanksInTurn) {
  const auto result = read(
      "{atoll-topology: 1, levels: [{name: host, kind: switch, members: [3, 1, 2]}, {name: net, kind: switch, "
      "members: 3}], placement: by-island}");
  ASSERT_TRUE(result.ok()) << result.error().text;
  std::vector<Rank> order;
  for (const Rank r : result->shape->ranksOf(1, 0)) order.push_back(r);
  EXPECT_THAT(order, ElementsAre(0, 3, 5, 1, 2, 4));
}

TEST(TopologyFile, WithoutMembers_LeavesTheIslandsToTheJob) {
  const auto result = read("{atoll-topology: 1, levels: [{name: host, kind: switch, latency: 1 us}]}");
  ASSERT_TRUE(result.ok()) << result.error().text;
  EXPECT_FALSE(result->topology().has_value());
  EXPECT_DOUBLE_EQ(result->levels[0].latency, 1e-6);
}

TEST(TopologyFile, HopsOfATorus_CostWhatTheFirstDoesUnlessTold) {
  const auto result = read("{atoll-topology: 1, levels: [{name: cube, kind: torus, latency: 1 us}]}");
  ASSERT_TRUE(result.ok()) << result.error().text;
  EXPECT_DOUBLE_EQ(result->levels[0].hopLatency, 1e-6);
}

TEST(TopologyFile, Mistakes_AreNamedWithLineFieldAndValue) {
  EXPECT_THAT(levelRefusal("    bandwith: 3\n"),
              StartsWith("t.yaml:5:5: levels[0]: there is no field 'bandwith' here; allowed are name, kind, members"));
  EXPECT_THAT(levelRefusal("    planes: 2\n    planes: 2\n"),
              StartsWith("t.yaml:6:5: levels[0]: the field 'planes' comes twice"));
  EXPECT_THAT(levelRefusal("    bandwidth: 400 Gb/s\n"),
              StartsWith("t.yaml:5:16: levels[0].bandwidth: '400 Gb/s' is not a rate such as"));
  EXPECT_THAT(levelRefusal("    latency: 3\n"), StartsWith("t.yaml:5:14: levels[0].latency: '3' is not a time"));
  EXPECT_THAT(levelRefusal("    usable: 2\n"), StartsWith("t.yaml:5:13: levels[0].usable: 2 is not a share"));
  EXPECT_THAT(levelRefusal("    usable: much\n"), HasSubstr("'much' is not a number"));
  EXPECT_THAT(levelRefusal("    rails: [1]\n"), HasSubstr("levels[0].rails: a list is not a whole number from 1"));
  EXPECT_THAT(
      levelRefusal("    ports: 4 per pod\n"),
      HasSubstr("levels[0].ports: '4 per pod' is not a number such as '4 per NAME', where NAME is one of rank"));
  EXPECT_THAT(levelRefusal("    switch-time: 1 s\n"), HasSubstr("only a circuit lays its links anew, not a switch"));
  EXPECT_THAT(levelRefusal("    members: 0\n"),
              StartsWith("t.yaml:5:14: levels[0].members: '0' is not a whole number from 1 to 16777216"));
  EXPECT_THAT(levelRefusal("    members: [2, 2]\n"),
              StartsWith("t.yaml:5:14: levels[0].members: numbers of members for 2 islands, but the levels further "
                         "out make 1"));
  EXPECT_THAT(levelRefusal("    members: [0 x 2]\n"), StartsWith("t.yaml:5:15: levels[0].members[0]: '0 x 2'"));
  EXPECT_THAT(levelRefusal("    labels: [a]\n"), HasSubstr("levels[0].labels: labels are for islands whose number"));
  EXPECT_THAT(levelRefusal("    members: 2\n    labels: [a, b]\n"), HasSubstr("2 labels, but there are 1 islands"));
  EXPECT_THAT(levelRefusal("    members: 4\n    dims: [2, 2]\n"), HasSubstr("levels[0].dims: only a torus or mesh"));
}

TEST(TopologyFile, MistakesOutsideLevels_AreNamedToo) {
  EXPECT_THAT(refusal(""), HasSubstr("t.yaml"));
  EXPECT_THAT(refusal("levels: []"), HasSubstr("t.yaml:1:1: the field 'atoll-topology' is missing"));
  EXPECT_THAT(refusal("atoll-topology: 2\nlevels: []"), HasSubstr("t.yaml:1:17: atoll-topology: this library reads"));
  EXPECT_THAT(refusal("atoll-topology: 1\nlevels: []"), HasSubstr("t.yaml:2:9: levels: 0 levels; 1 to 16"));
  EXPECT_THAT(refusal("atoll-topology: 1\nlevels:\n  - {name: host, kind: star}"),
              HasSubstr("levels[0].kind: 'star' is not one of switch, full-mesh, ring, torus"));
  EXPECT_THAT(refusal("atoll-topology: 1\nlevels:\n  - {kind: switch}"),
              HasSubstr("t.yaml:3:5: levels[0]: the field 'name' is missing"));
  EXPECT_THAT(refusal("atoll-topology: 1\nlevels:\n  - {name: a, kind: switch, members: 2}\n  - {name: b, kind: ring}"),
              HasSubstr("t.yaml:4:5: levels[1]: the field 'members' is missing"));
  EXPECT_THAT(refusal("atoll-topology: [1\n"), HasSubstr("not YAML"));
  EXPECT_THAT(refusal("- 1\n"), HasSubstr("t.yaml:1:1: a list stands where a map is allowed"));
  EXPECT_THAT(refusal("a: &x 1\nb: *x"), HasSubstr("an anchor (&) is not allowed here"));
  EXPECT_THAT(refusal("a: !!int 1"), HasSubstr("a tag (!) is not allowed here"));
  EXPECT_THAT(refusal("a: 1\n---\nb: 1\n"), HasSubstr("more than one document"));
}

TEST(TopologyFile, WrongPlacements_AreNamedWithTheRank) {
  const auto placed = [](std::string_view placement) {
    return refusal(fmt::format(
        "atoll-topology: 1\nlevels:\n  - {{name: host, kind: switch, members: 4}}\nplacement: {}", placement));
  };
  EXPECT_THAT(placed("by-node"), HasSubstr("t.yaml:4:12: placement: 'by-node' is not by-slot, by-island or a list"));
  EXPECT_THAT(placed("[0, 1]"), HasSubstr("2 ranks are placed, but the levels have places for 4"));
  EXPECT_THAT(placed("[0-2, 2]"), HasSubstr("t.yaml:4:18: placement[1]: rank 2 is placed a second time"));
  EXPECT_THAT(placed("[0-4]"), HasSubstr("placement[0]: '0-4' are not ranks from 0 to 3"));
  EXPECT_THAT(placed("[7]"), HasSubstr("placement[0]: '7' is not a whole number from 0 to 3"));
  EXPECT_THAT(refusal("{atoll-topology: 1, levels: [{name: host, kind: switch}], placement: by-island}"),
              HasSubstr("only where the levels have 'members'"));
}

TEST(TopologyFile, IsReadOnceForEachPath) {
  const std::string path = std::filesystem::temp_directory_path() / fmt::format("atoll-topology-{}.yaml", ::getpid());
  std::ofstream(path) << kCluster;
  const auto first = topologyFileAt(path);
  ASSERT_TRUE(first.ok()) << first.error().text;
  EXPECT_NE((*first)->hash, 0U);
  std::filesystem::remove(path);
  EXPECT_EQ(topologyFileAt(path).value(), *first);
  EXPECT_THAT(readTopologyFile(path).error().text, HasSubstr("cannot open topology file " + path));
}

TEST(TopologyFile, EveryExampleIsSoundAndNamesItsSources) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(TOPOLOGIES)) {
    if (entry.path().extension() != ".yaml") continue;
    ++files;
    const auto file = readTopologyFile(entry.path());
    ASSERT_TRUE(file.ok()) << file.error().text;
    EXPECT_FALSE(file->description.sources.empty()) << entry.path();
    EXPECT_FALSE(file->description.name.empty()) << entry.path();
    EXPECT_TRUE(file->description.topology().has_value()) << entry.path();
    EXPECT_EQ(TopologyDescription::fromYaml(file->description.toYaml(), "again").value(), file->description);
  }
  EXPECT_GE(files, 6);
}

}  // namespace
}  // namespace atl
