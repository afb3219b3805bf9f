// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/hosts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl::launch {
namespace {

/// "n1 0+4, n2 4+2": host, first rank, number of ranks.
std::string placed(std::string_view hosts, Rank ranks) {
  const auto shares = placeRanks(hosts, ranks);
  if (!shares.ok()) return "error: " + shares.error().text;
  std::string text;
  for (const HostShare& share : *shares) {
    text += fmt::format("{}{} {}+{}", text.empty() ? "" : ", ", share.host, share.first, share.count);
  }
  return text;
}

TEST(PlaceRanks, NoList_IsThisHost) {
  EXPECT_EQ(placed("", 4), thisHost() + " 0+4");
  EXPECT_EQ(placed("", 0), thisHost() + " 0+1");
}

TEST(PlaceRanks, Numbers_AreFilledInOrder) {
  EXPECT_EQ(placed("n1:4,n2:4", 6), "n1 0+4, n2 4+2");
  EXPECT_EQ(placed("n1:4,n2:4", 8), "n1 0+4, n2 4+4");
  EXPECT_EQ(placed("n1:4,n2:4", 0), "n1 0+4, n2 4+4");
}

TEST(PlaceRanks, NoNumbers_ShareEvenly) {
  EXPECT_EQ(placed("n1,n2", 8), "n1 0+4, n2 4+4");
  EXPECT_EQ(placed("n1,n2,n3", 8), "n1 0+3, n2 3+3, n3 6+2");
  EXPECT_EQ(placed("n1,n2", 0), "n1 0+1, n2 1+1");
}

TEST(PlaceRanks, Mixed_TheOpenOnesTakeTheRest) {
  EXPECT_EQ(placed("n1:2,n2,n3", 7), "n1 0+2, n2 2+3, n3 5+2");
}

TEST(PlaceRanks, HostWithoutRanks_IsLeftOut) {
  EXPECT_EQ(placed("n1:4,n2:4", 3), "n1 0+3");
}

TEST(PlaceRanks, Brackets_HoldAnIpv6Address) {
  EXPECT_EQ(placed("[fe80::1]:2,n2:1", 3), "fe80::1 0+2, n2 2+1");
}

TEST(PlaceRanks, TooFewPlaces_SaysHowMany) {
  EXPECT_EQ(placed("n1:2,n2:1", 4), "error: 4 ranks do not fit the host list, which has room for 3");
}

TEST(PlaceRanks, Nonsense_IsNamed) {
  for (const char* list :
       {"n1:", "n1:0", "n1:x", "n1:-2", "n1:3x", ",n2", "n1,", "-oProxyCommand=x", "[fe80::1]4", "n1:99999999999"}) {
    EXPECT_THAT(placed(list, 2), testing::HasSubstr("in the host list")) << list;
  }
}

}  // namespace
}  // namespace atl::launch
