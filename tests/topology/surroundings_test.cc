// SPDX-License-Identifier: Apache-2.0
#include "src/topology/surroundings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "src/topology/nvml.h"

namespace atl {
namespace {

using testing::HasSubstr;

TEST(Nvml, TellsDevicesAndTheirFabrics) {
  const NvmlReading reading = readNvml(FAKE_NVML);
  ASSERT_EQ(reading.devices.size(), 2U) << reading.absence;
  EXPECT_EQ(reading.devices[0].name, "Fake 0");
  EXPECT_EQ(reading.devices[0].pciAddress, "0001:1b:00.0");
  EXPECT_EQ(reading.devices[1].pciAddress, "0001:1b:01.0");
  EXPECT_NE(reading.devices[0].fabric, 0U);
  EXPECT_EQ(reading.devices[1].fabric, 0U) << "a fabric without a name reaches over no other host";
}

TEST(Nvml, WithoutTheLibrary_SaysWhy) {
  EXPECT_THAT(readNvml("libnothing-of-this-name.so").absence, HasSubstr("not here"));
  EXPECT_THAT(readNvml("libm.so.6").absence, HasSubstr("lacks functions"));
}

/// Which package each CPU is in, as sysfs says it.
class FakeCpus : public testing::Test {
 protected:
  FakeCpus() : root_(std::filesystem::temp_directory_path() / ("atoll-cpus-" + std::to_string(::getpid()))) {}
  ~FakeCpus() override { std::filesystem::remove_all(root_); }

  template <class PackageOf>
  void write(PackageOf packageOf) {
    cpu_set_t set;
    ASSERT_EQ(::sched_getaffinity(0, sizeof set, &set), 0);
    int order = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &set)) continue;
      const auto folder = root_ / ("cpu" + std::to_string(cpu)) / "topology";
      std::filesystem::create_directories(folder);
      std::ofstream(folder / "physical_package_id") << packageOf(order++) << "\n";
    }
    cpus_ = order;
  }

  std::filesystem::path root_;
  int cpus_ = 0;
};

TEST_F(FakeCpus, AllInOnePackage_AreBoundToIt) {
  write([](int) { return 3; });
  EXPECT_EQ(boundPackage(root_), 3);
}

TEST_F(FakeCpus, InSeveralPackages_AreBoundToNone) {
  write([](int order) { return order; });
  if (cpus_ < 2) GTEST_SKIP() << "this process may run on one CPU only";
  EXPECT_EQ(boundPackage(root_), -1);
}

TEST_F(FakeCpus, ThatSayNothing_AreBoundToNone) {
  EXPECT_EQ(boundPackage(root_), -1);
}

}  // namespace
}  // namespace atl
