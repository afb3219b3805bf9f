// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "src/topology/host_identity.h"
#include "src/topology/host_topology.h"
#include "src/topology/usable_cores.h"

namespace atl {
namespace {

class FakeGroups : public ::testing::Test {
 protected:
  FakeGroups() : root_(std::filesystem::temp_directory_path() / ("atoll-groups-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(root_ / "outer/inner");
  }
  ~FakeGroups() override { std::filesystem::remove_all(root_); }
  void write(const std::string& file, const std::string& text) { std::ofstream(root_ / file) << text; }
  std::filesystem::path root_;
};

TEST_F(FakeGroups, Version2_TakesTheLeastOnTheWayUp) {
  write("outer/inner/cpu.max", "max 100000\n");
  write("outer/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(groupQuota(root_.string(), "/outer/inner"), 1.5);
}

TEST_F(FakeGroups, Version1_ReadsQuotaAndPeriod) {
  write("outer/cpu.cfs_quota_us", "200000\n");
  write("outer/cpu.cfs_period_us", "50000\n");
  EXPECT_DOUBLE_EQ(groupQuota(root_.string(), "/outer"), 4.0);
}

TEST_F(FakeGroups, NoQuota_IsZero) {
  write("outer/cpu.cfs_quota_us", "-1\n");
  write("outer/cpu.cfs_period_us", "50000\n");
  EXPECT_DOUBLE_EQ(groupQuota(root_.string(), "/outer/inner"), 0.0);
}

TEST(UsableCores, StaysWithinAffinity) {
  cpu_set_t set;
  ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_GE(usableCores(), 1);
  EXPECT_LE(usableCores(), CPU_COUNT(&set));
}

TEST(HostIdentity, IsStableAndOverridable) {
  Settings settings;
  const auto own = hostIdentity(settings);
  EXPECT_EQ(own, hostIdentity(settings));
  settings.hostId = "island-1";
  const auto island = hostIdentity(settings);
  EXPECT_NE(own, island);
  settings.hostId = "island-2";
  EXPECT_NE(island, hostIdentity(settings));
}

TEST(HostTopology, CountsAreConsistent) {
  const auto& shape = hostTopology();
  EXPECT_GE(shape.packages, 1);
  EXPECT_GE(shape.numaNodes, 1);
  EXPECT_GE(shape.cores, 1);
  EXPECT_GE(shape.pus, shape.cores);
}

}  // namespace
}  // namespace atl
