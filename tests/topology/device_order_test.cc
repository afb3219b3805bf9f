// SPDX-License-Identifier: Apache-2.0
// Which of several devices is the nearest, on a machine that a file describes: four nodes in two packages, a card on
// each, one that hangs on the second package and one on the machine.
#include "src/topology/device_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string>
#include <vector>

#include "src/topology/device_distance.h"
#include "src/topology/device_view.h"

namespace atl {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::SizeIs;

constexpr auto kCards = {"01", "41", "81", "a1", "c1", "e1"};

std::string fourNodes() {
  std::ifstream file(FOUR_NODES);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string withoutDistances(std::string xml) {
  const auto begin = xml.find("  <distances2");
  return xml.erase(begin, xml.find("</distances2>\n") + 14 - begin);
}

class DeviceDistance : public testing::Test {
 protected:
  void load(const std::string& xml) {
    hwloc_topology_t raw = nullptr;
    ASSERT_EQ(hwloc_topology_init(&raw), 0);
    machine_.reset(raw);
    ASSERT_EQ(hwloc_topology_set_xmlbuffer(raw, xml.c_str(), static_cast<int>(xml.size() + 1)), 0);
    ASSERT_EQ(hwloc_topology_set_io_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_ALL), 0);
    ASSERT_EQ(hwloc_topology_load(raw), 0);
  }

  int distance(std::initializer_list<unsigned> cpus, const std::string& path) {
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    for (const unsigned cpu : cpus) hwloc_bitmap_set(set, cpu);
    const int found = deviceDistance(machine_.get(), set, path);
    hwloc_bitmap_free(set);
    return found;
  }

  std::vector<int> ofCards(std::initializer_list<unsigned> cpus) {
    std::vector<int> all;
    for (const std::string bus : kCards) {
      all.push_back(distance(cpus, "/sys/devices/pci0000:00/0000:00:01.0/0000:" + bus + ":00.0"));
    }
    return all;
  }

  TopologyHandle machine_;
};

TEST_F(DeviceDistance, IsAsTheFirmwareSays) {
  load(fourNodes());
  EXPECT_THAT(ofCards({0}), ElementsAre(10, 12, 32, 32, 32, kUnknownDistance));
  EXPECT_THAT(ofCards({1}), ElementsAre(12, 10, 32, 32, 32, kUnknownDistance));
  EXPECT_THAT(ofCards({3}), ElementsAre(32, 32, 12, 10, 10, kUnknownDistance));
}

TEST_F(DeviceDistance, WhereTheFirmwareSaysNothing_IsByPackages) {
  load(withoutDistances(fourNodes()));
  EXPECT_THAT(ofCards({0}), ElementsAre(10, 12, 20, 20, 20, kUnknownDistance));
  EXPECT_THAT(ofCards({2}), ElementsAre(20, 20, 10, 12, 10, kUnknownDistance));
}

TEST_F(DeviceDistance, OfADeviceBehindACard_IsTheCards) {
  load(fourNodes());
  EXPECT_EQ(distance({2}, "/sys/devices/pci0000:80/0000:81:00.0/mlx5_core.sf.4"), 10);
  EXPECT_EQ(distance({2}, "/sys/devices/pci0000:80/0000:81:00.0/virtio3/net"), 10);
}

TEST_F(DeviceDistance, OfADeviceThatTheMachineDoesNotHave_IsNotKnown) {
  load(fourNodes());
  for (const char* const path : {"", "/", "0000:02:00.0", "/sys/devices/virtual/net/rxe0"}) {
    EXPECT_EQ(distance({2}, path), kUnknownDistance) << path;
  }
}

TEST_F(DeviceDistance, FromCpusThatSpanNodes_IsTheSameToAll) {
  load(fourNodes());
  EXPECT_THAT(ofCards({0, 1, 2, 3}), AllOf(SizeIs(6), Each(kNearDistance)));
  EXPECT_THAT(ofCards({1, 2}), Each(kNearDistance));
}

TEST(DeviceOrder, TheNearestComeFirst_TheFarthestLast) {
  EXPECT_THAT(nearestFirst({32, 10, 15, 12}, 0), ElementsAre(1, 3, 2, 0));
  EXPECT_THAT(nearestFirst({}, 3), SizeIs(0));
}

TEST(DeviceOrder, ProcessesBeginAtDifferentOnesOfTheNearest) {
  const std::vector<int> distances = {32, 10, 32, 10, 10};
  EXPECT_THAT(nearestFirst(distances, 0), ElementsAre(1, 3, 4, 0, 2));
  EXPECT_THAT(nearestFirst(distances, 1), ElementsAre(3, 4, 1, 0, 2));
  EXPECT_THAT(nearestFirst(distances, 2), ElementsAre(4, 1, 3, 0, 2));
}

TEST(DeviceOrder, ProcessesThatGoRoundTheNodesSpreadAllTheSame) {
  // Two nodes with two devices each, and every other process on this one.
  const std::vector<int> distances = {10, 10, 20, 20};
  for (const std::size_t node : {0U, 1U}) {
    std::vector<int> users(4);
    for (std::size_t turn = node; turn < 8; turn += 2) ++users[nearestFirst(distances, turn).front()];
    EXPECT_THAT(users, ElementsAre(2, 2, 0, 0));
  }
}

TEST(DeviceOrder, OnAMachineWithOneNode_AllAreNear) {
  if (FILE* const other = std::fopen("/sys/devices/system/node/node1/cpulist", "r"); other != nullptr) {
    std::fclose(other);
    GTEST_SKIP() << "this machine has several";
  }
  EXPECT_THAT(distancesFromHere({"", "/sys/devices/pci0000:00/0000:00:01.0"}), Each(kNearDistance));
}

TEST(DeviceOrder, AFolderIsWhatALinkLeadsTo) {
  EXPECT_EQ(folderBehind("/proc/self/.."), "/proc");
  EXPECT_EQ(folderBehind("/nowhere/device"), "");
}

}  // namespace
}  // namespace atl
