// SPDX-License-Identifier: Apache-2.0
// Which ports a process takes on a machine with several NUMA nodes, which tests/topology/four_nodes.xml describes to
// hwloc (HWLOC_XMLFILE), with cards of the fake libibverbs. CPU n is node n's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/fakeverbs/fakeverbs.h"
#include "transports/rdma/port.h"

namespace atl::rdma {
namespace {

using testing::ElementsAre;

class RdmaNearest : public testing::Test {
 protected:
  /// Cards on nodes 2, 1 and 0, and one on no bus.
  void SetUp() override {
    fakeverbs::Configuration configuration;
    configuration.devices.clear();
    for (const std::string bus : {"81", "41", "01", ""}) {
      auto& device = configuration.devices.emplace_back();
      if (bus.empty()) continue;
      const auto card = folder_ / ("0000:" + bus + ":00.0");
      const auto link = folder_ / ("card_" + bus);
      std::filesystem::create_directories(card);
      std::filesystem::create_directory(link);
      std::filesystem::create_symlink(card, link / "device");
      device.sysfsPath = link;
    }
    fakeverbs::reset(configuration);
    CPU_ZERO(&before_);
    ASSERT_EQ(::sched_getaffinity(0, sizeof before_, &before_), 0);
  }
  void TearDown() override {
    ::sched_setaffinity(0, sizeof before_, &before_);
    std::filesystem::remove_all(folder_);
    EXPECT_THAT(fakeverbs::takeFailures(), testing::IsEmpty());
    EXPECT_EQ(fakeverbs::liveObjects(), fakeverbs::LiveObjects{});
  }

  static bool runOn(int cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    return ::sched_setaffinity(0, sizeof only, &only) == 0;
  }

  static std::vector<std::string> order(const std::string& devices = "", std::size_t turn = 0) {
    RdmaSettings settings;
    settings.devices = devices;
    const auto ports = findPorts(settings, turn);
    EXPECT_TRUE(ports.ok()) << ports.error().text;
    std::vector<std::string> names;
    for (const Port& port : *ports) names.push_back(port.name());
    return names;
  }

 private:
  std::filesystem::path folder_ = testing::TempDir() + "rdma_nearest_" + std::to_string(::getpid());
  cpu_set_t before_{};
};

TEST_F(RdmaNearest, PortsOfTheThreadsNodeComeFirstAndThoseOfOtherPackagesLast) {
  if (!runOn(0)) GTEST_SKIP() << "CPU 0 is not this process's";
  EXPECT_THAT(order(), ElementsAre("fake_2:1", "fake_1:1", "fake_3:1", "fake_0:1"));
  if (!runOn(1)) GTEST_SKIP() << "CPU 1 is not this process's";
  EXPECT_THAT(order(), ElementsAre("fake_1:1", "fake_2:1", "fake_3:1", "fake_0:1"));
}

TEST_F(RdmaNearest, TheOnlyNearPortIsTheFirstForEachProcess) {
  if (!runOn(0)) GTEST_SKIP() << "CPU 0 is not this process's";
  EXPECT_THAT(order("", 1), ElementsAre("fake_2:1", "fake_1:1", "fake_3:1", "fake_0:1"));
}

TEST_F(RdmaNearest, WhatIsNamedIsUsedHoweverFarItIs) {
  if (!runOn(0)) GTEST_SKIP() << "CPU 0 is not this process's";
  EXPECT_THAT(order("=fake_0"), ElementsAre("fake_0:1"));
  EXPECT_THAT(order("=fake_0,fake_1"), ElementsAre("fake_1:1", "fake_0:1"));
}

}  // namespace
}  // namespace atl::rdma
