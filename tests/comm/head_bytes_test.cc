// SPDX-License-Identifier: Apache-2.0
// How much of an all-to-all-v's blocks goes in stages.
#include "src/comm/head_bytes.h"

#include <gtest/gtest.h>

#include "src/comm/link_table.h"
#include "tests/support/told_topology.h"

namespace atl {
namespace {

constexpr Rank kRanks = 8;

/// Four hosts of two ranks whose network has such a latency.
std::shared_ptr<const plan::SiteModel> siteWith(double networkLatency) {
  plan::LinkModel near;
  near.latency = 1e-6;
  near.perMessage = 0.2e-6;
  near.perByte = 1e-10;
  plan::LinkModel far = near;
  far.latency = networkLatency;
  far.perMessage = networkLatency / 4;
  far.perByte = 1e-9;
  const Topology topology =
      test::topologyOf("{name: host, kind: switch, members: 2}, {name: net, kind: switch, members: 4}");
  return std::make_shared<plan::SiteModel>(
      far, topology.hierarchy(), std::vector{plan::LevelModel{"host", near, {}}, plan::LevelModel{"net", far, {}}});
}

std::size_t headBytesAt(std::shared_ptr<const plan::SiteModel> site, std::string_view forced = "") {
  Settings settings;
  settings.algorithms = forced;
  Directory directory;
  directory.processes.resize(1);
  directory.processOf.assign(kRanks, 0);
  auto choosing = Choosing::create(settings, {}, std::move(site), directory);
  EXPECT_TRUE(choosing.ok());
  auto bytes = headBytesFor(*choosing, kRanks);
  EXPECT_TRUE(bytes.ok()) << bytes.error().text;
  return *bytes;
}

TEST(HeadBytes, BetweenIslands_AreWholeLines) {
  const std::size_t bytes = headBytesAt(siteWith(50e-6));
  EXPECT_GE(bytes, 64U);
  EXPECT_EQ(bytes % 64, 0U);
}

TEST(HeadBytes, TheMoreAMessageCosts_TheLargerAHead) {
  EXPECT_GT(headBytesAt(siteWith(500e-6)), headBytesAt(siteWith(5e-6)));
}

TEST(HeadBytes, AsTheUserForces) {
  EXPECT_EQ(headBytesAt(siteWith(50e-6), "alltoall:pairwise"), 0U);
  EXPECT_EQ(headBytesAt(siteWith(50e-6), "alltoall:hierarchical"), 64U);
}

}  // namespace
}  // namespace atl
