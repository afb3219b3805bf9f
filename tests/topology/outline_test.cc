// SPDX-License-Identifier: Apache-2.0
#include "src/topology/outline.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/topology/description.h"
#include "tests/support/told_topology.h"

namespace atl {
namespace {

using test::topologyOf;
using testing::HasSubstr;
using testing::Not;

std::string textOf(const Topology& topology, std::int32_t apart = 12) {
  return fmt::format("{}", fmt::join(outlineText(topology, apart), "\n"));
}

TEST(Outline, FewIslands_AreToldOneByOneWithTheirRanks) {
  const Topology topology = topologyOf(
      "{name: host, kind: switch, members: [2, 3], labels: [ada, bea]}, {name: net, kind: switch, members: 2, "
      "bandwidth: 1 Gbit/s, ports: 1 per host, latency: 30 us}",
      ", placement: [0, 2, 1, 3, 4]");
  EXPECT_EQ(textOf(topology),
            "T: 5 ranks on 2 levels, not in the order of their islands\n"
            "net of 2 hosts: switch, 125 MB/s a host, 30 µs\n"
            "host (× 2) of 2 to 3 ranks: switch, rate not known\n"
            "net: 5 ranks\n"
            "├─ ada: 2 ranks: 0, 2\n"
            "└─ bea: 3 ranks: 1, 3-4");
}

TEST(Outline, ManyAlike_AreToldOnceWithTheirNumber) {
  const Topology topology = topologyOf(
      "{name: host, kind: switch, members: 8}, {name: pod, kind: switch, members: 72}, {name: all, kind: switch, "
      "members: 20}");
  const OutlineNode top = outlineOf(topology, 12);
  ASSERT_EQ(top.members.size(), 1U);
  EXPECT_EQ(top.members[0].count, 20);
  ASSERT_EQ(top.members[0].members.size(), 1U);
  EXPECT_EQ(top.members[0].members[0].count, 72);
  EXPECT_THAT(textOf(topology), HasSubstr("└─ pod 0 to pod 19 (× 20, 576 ranks each)\n"
                                          "   └─ host 0 to host 71 (× 72, 8 ranks each)"));
}

TEST(Outline, FewInEach_AreToldOnceWhereTheyAreManyTogether) {
  const Topology topology = topologyOf(
      "{name: host, kind: switch, members: 8}, {name: pod, kind: switch, members: 3}, {name: all, kind: switch, "
      "members: 5}");
  EXPECT_THAT(textOf(topology), HasSubstr("└─ pod 0 to pod 4 (× 5, 24 ranks each)\n   ├─ host 0: 8 ranks: 0-7\n"));
}

TEST(Outline, RunsEndWhereShapesDiffer) {
  const Topology topology =
      topologyOf("{name: host, kind: switch, members: [9 x 8, 7, 10 x 8]}, {name: all, kind: switch, members: 20}");
  const OutlineNode top = outlineOf(topology, 12);
  ASSERT_EQ(top.members.size(), 3U);
  EXPECT_EQ(top.members[0].count, 9);
  EXPECT_EQ(top.members[1].count, 1);
  EXPECT_EQ(top.members[2].group, 10);
}

TEST(Outline, EndlessTrees_AreCut) {
  const Topology topology = topologyOf(
      "{name: host, kind: switch, members: [1, 2, 500 x 1, 500 x 2]}, {name: all, kind: switch, members: 1002}");
  EXPECT_LT(outlineText(topology, 2000).size(), 410U);
  EXPECT_EQ(outlineText(topology, 2000).back(), "…");
}

TEST(Outline, RanksInRuns) {
  const Topology topology = topologyOf("{name: host, kind: switch, members: 6}", ", placement: [0, 1, 2, 5, 3, 4]");
  EXPECT_EQ(ranksText(topology.hierarchy().ranksOf(0, 0)), "0-2, 5, 3-4");
}

}  // namespace
}  // namespace atl
