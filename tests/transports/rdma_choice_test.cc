// SPDX-License-Identifier: Apache-2.0
// Which ports and which of their addresses RDMA uses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "transports/rdma/device_filter.h"
#include "transports/rdma/gid.h"

namespace atl::rdma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Gid mapped(std::uint8_t last) {
  return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 77, 0, last};
}

Gid linkLocal(std::uint8_t last) {
  return {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
}

Gid global(std::uint8_t last) {
  return {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
}

std::vector<int> order(const std::vector<GidEntry>& table) {
  std::vector<int> indices;
  for (const auto& entry : inOrderOfUse(table)) indices.push_back(entry.index);
  return indices;
}

TEST(GidChoice, PrefersRoceV2AndThenAddressesThatReachFar) {
  using enum GidEntry::Type;
  EXPECT_THAT(order({{0, roceV1, linkLocal(1)},
                     {1, roceV2, linkLocal(1)},
                     {2, roceV1, mapped(1)},
                     {3, roceV1, global(1)},
                     {4, roceV2, global(1)},
                     {5, roceV2, mapped(1)}}),
              ElementsAre(5, 4, 1, 2, 3, 0));
}

TEST(GidChoice, AmongEqualsTheFirstRowWins) {
  using enum GidEntry::Type;
  EXPECT_THAT(order({{3, roceV2, mapped(9)}, {7, roceV2, mapped(1)}}), ElementsAre(3, 7));
}

TEST(GidChoice, RowsWithoutAnAddressAreNoChoice) {
  using enum GidEntry::Type;
  EXPECT_THAT(order({{0, roceV2, {}}, {1, roceV2, linkLocal(0)}, {2, roceV1, linkLocal(3)}}), ElementsAre(2));
}

TEST(GidChoice, IsDescribedAsPeopleWriteAddresses) {
  using enum GidEntry::Type;
  EXPECT_EQ(describe({3, roceV2, mapped(4)}), "gid 3, RoCEv2 10.77.0.4");
  EXPECT_EQ(describe({0, infiniband, linkLocal(2)}), "gid 0, InfiniBand fe80::2");
}

bool allows(const char* list, const char* device, int port) {
  const auto filter = DeviceFilter::parse(list);
  EXPECT_TRUE(filter.ok()) << filter.error().text;
  return filter.ok() && filter->allows(device, port);
}

TEST(DeviceFilter, SaysOfWhichDevicesItMayAllowAPort) {
  const auto mayAllow = [](const char* list, const char* device) {
    const auto filter = DeviceFilter::parse(list);
    EXPECT_TRUE(filter.ok()) << list;
    return filter.ok() && filter->mayAllow(device);
  };
  EXPECT_TRUE(mayAllow("", "mlx5_0"));
  EXPECT_TRUE(mayAllow("mlx5_0:2", "mlx5_0"));
  EXPECT_FALSE(mayAllow("mlx5_0:2", "mlx5_1"));
  EXPECT_TRUE(mayAllow("^mlx5_0:2", "mlx5_0"));
  EXPECT_FALSE(mayAllow("^mlx5_0", "mlx5_0"));
  EXPECT_TRUE(mayAllow("^mlx5_0", "mlx5_1"));
}

TEST(DeviceFilter, AllowsWhatItNames) {
  EXPECT_TRUE(allows("", "mlx5_0", 1));
  EXPECT_TRUE(allows("mlx5", "mlx5_10", 2));
  EXPECT_FALSE(allows("=mlx5_1", "mlx5_10", 1));
  EXPECT_TRUE(allows("=mlx5_1,mlx5_10", "mlx5_10", 1));
  EXPECT_TRUE(allows("mlx5_0:2", "mlx5_0", 2));
  EXPECT_FALSE(allows("mlx5_0:2", "mlx5_0", 1));
  EXPECT_FALSE(allows("^mlx5_0", "mlx5_0", 1));
  EXPECT_TRUE(allows("^mlx5_0:1", "mlx5_0", 2));
  EXPECT_TRUE(allows("^=mlx5_1", "mlx5_10", 1));
}

TEST(DeviceFilter, SaysWhatItCannotRead) {
  for (const char* const list : {"mlx5_0:", "mlx5_0:x", "mlx5_0:0", ":1", "a,,b", "^", "="}) {
    const auto filter = DeviceFilter::parse(list);
    ASSERT_FALSE(filter.ok()) << list;
    EXPECT_EQ(filter.error().code, ErrorCode::invalidArgument);
    EXPECT_THAT(filter.error().text, HasSubstr(list));
  }
}

}  // namespace
}  // namespace atl::rdma
