// SPDX-License-Identifier: Apache-2.0
// Pictures of topologies: what they show, what they fold, and that they are XML.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "src/topology/description.h"
#include "tests/support/told_topology.h"
#include "tools/atoll/topo/drawing.h"
#include "tools/atoll/topo/layout.h"

namespace atl::tools {
namespace {

using test::topologyOf;
using testing::HasSubstr;
using testing::Not;

std::size_t countOf(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// The name of the first element that is not closed as it should be, or nothing.
std::string unclosed(std::string_view xml) {
  std::vector<std::string> open;
  for (auto at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
    const auto end = xml.find('>', at);
    if (end == std::string_view::npos) return "<";
    const std::string_view tag = xml.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find(' ')));
    if (tag.starts_with('/')) {
      if (open.empty() || "/" + open.back() != name) return name;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : open.back();
}

/// Members lie within their island and beside each other.
void expectNested(const Box& box) {
  for (std::size_t i = 0; i < box.members.size(); ++i) {
    const Rect& at = box.members[i].at;
    EXPECT_GE(at.x, box.at.x);
    EXPECT_GE(at.y, box.at.y);
    EXPECT_LE(at.x + at.width, box.at.x + box.at.width);
    EXPECT_LE(at.y + at.height, box.at.y + box.at.height);
    for (std::size_t j = 0; j < i; ++j) {
      const Rect& other = box.members[j].at;
      EXPECT_TRUE(at.x >= other.x + other.width || at.y >= other.y + other.height || other.y >= at.y + at.height);
    }
    expectNested(box.members[i]);
  }
}

constexpr const char* kSmall =
    "{name: host, kind: switch, members: [2, 3], labels: [ada & co, bea]}, {name: net, kind: switch, members: 2, "
    "bandwidth: 8 Gbit/s, ports: 1 per host, oversubscription: 4}";

TEST(TopologyDrawing, SmallSystem_ShowsEveryRankLinkAndName) {
  const std::string svg = drawTopology(topologyOf(kSmall));
  for (int rank = 0; rank < 5; ++rank) EXPECT_EQ(countOf(svg, fmt::format("id=\"rank-{}\"", rank)), 1U);
  EXPECT_THAT(svg, HasSubstr("ada &amp; co"));
  EXPECT_EQ(countOf(svg, ">250 MB/s<"), 2U);
  EXPECT_EQ(countOf(svg, ">4:1<"), 2U);
  EXPECT_EQ(unclosed(svg), "");
}

TEST(TopologyDrawing, LargeSystem_OpensOneIslandAndCountsTheOthers) {
  const std::string svg = drawTopology(topologyOf(
      "{name: host, kind: switch, members: 8}, {name: pod, kind: switch, members: 128}, {name: all, kind: switch, "
      "members: 100}"));
  EXPECT_EQ(countOf(svg, "id=\"rank-"), 8U);
  EXPECT_THAT(svg, HasSubstr("102,400 ranks"));
  EXPECT_THAT(svg, HasSubstr("+ 123"));
  EXPECT_THAT(svg, HasSubstr("+ 95"));
  EXPECT_LT(svg.size(), 60000U);
}

TEST(TopologyDrawing, LargeIsland_SaysHowManyRanksItLeavesOut) {
  const std::string svg = drawTopology(topologyOf("{name: host, kind: switch, members: 640}"));
  EXPECT_THAT(svg, HasSubstr("and 352 ranks more"));
  EXPECT_EQ(countOf(svg, "id=\"rank-"), 288U);
}

TEST(TopologyDrawing, Overlay_IsGivenWhereRanksAre) {
  DrawingOptions options;
  options.overlay = [](Canvas& canvas, const std::map<Rank, Point>& rankAt) {
    EXPECT_EQ(rankAt.size(), 5U);
    EXPECT_GT(rankAt.at(1).x, rankAt.at(0).x);
    canvas.line(rankAt.at(0), rankAt.at(4), "class=\"ring\"");
  };
  EXPECT_THAT(drawTopology(topologyOf(kSmall), options), HasSubstr("class=\"ring\""));
}

TEST(TopologyDrawing, EveryExample_IsXmlWithNothingOutsideItsIsland) {
  for (const auto& entry : std::filesystem::directory_iterator(TOPOLOGIES)) {
    const auto file = readTopologyFile(entry.path());
    ASSERT_TRUE(file.ok()) << file.error().text;
    const Topology topology = *file->description.topology();
    expectNested(layOut(topology));
    EXPECT_EQ(unclosed(drawTopology(topology)), "") << entry.path();
  }
}

TEST(TopologyDrawing, ManyOpenIslands_StandInEvenRows) {
  const Box box = layOut(topologyOf("{name: host, kind: switch, members: 4}, {name: net, kind: switch, members: 16}"));
  expectNested(box);
  ASSERT_EQ(box.members.size(), 16U);
  ASSERT_EQ(box.rowEnds.size(), 3U);
  EXPECT_EQ(box.rowEnds[0], 6U);
  EXPECT_EQ(box.rowEnds[1], 12U);
}

TEST(Fitting, CutsTextsBetweenCharacters) {
  EXPECT_EQ(fitted("short", 10, 100), "short");
  const std::string cut = fitted("ééééééééééééééééé", 10, 50);
  EXPECT_LT(cut.size(), 20U);
  EXPECT_TRUE(cut.ends_with("é…")) << cut;
  EXPECT_EQ(fitted("nothing fits", 10, 1), "…");
}

}  // namespace
}  // namespace atl::tools
