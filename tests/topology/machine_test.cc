// SPDX-License-Identifier: Apache-2.0
#include "src/topology/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/topology/host_topology.h"

namespace atl {
namespace {

using testing::IsEmpty;
using testing::Not;

MachineDevice accelerator(int package) {
  MachineDevice device;
  device.name = "GPU";
  device.package = package;
  return device;
}

TEST(Machine, AsItIsHere_AgreesWithHwlocsCounts) {
  const Machine machine = readMachine();
  EXPECT_THAT(machine.hostName, Not(IsEmpty()));
  EXPECT_EQ(machine.packages.size(), static_cast<std::size_t>(hostTopology().packages));
  int cores = 0;
  for (const MachinePackage& package : machine.packages) cores += package.cores;
  EXPECT_EQ(cores, hostTopology().cores);
  for (const MachineDevice& device : machine.devices) {
    EXPECT_GE(device.package, 0);
    EXPECT_LT(device.package, hostTopology().packages);
  }
  EXPECT_GE(topologyOf(machine).ranks(), 1);
}

TEST(Machine, WithoutAccelerators_ItsRanksAreCores) {
  Machine machine;
  machine.hostName = "n1";
  machine.packages = {{4, 1}, {4, 1}};
  const Topology topology = topologyOf(machine);
  EXPECT_EQ(rankNameOf(machine), "core");
  EXPECT_EQ(topology.ranks(), 8);
  EXPECT_EQ(topology.label(0, 1), "package 1");
  EXPECT_EQ(topology.label(1, 0), "n1");
}

TEST(Machine, ItsAcceleratorsAreItsRanks) {
  Machine machine;
  machine.hostName = "n1";
  machine.packages = {{4, 1}, {4, 1}};
  machine.devices = {accelerator(1), accelerator(1)};
  EXPECT_EQ(rankNameOf(machine), "GPU");
  EXPECT_EQ(topologyOf(machine).hierarchy().levels(), 1) << "all of them are in one package";
  machine.devices.push_back(accelerator(0));
  const Topology topology = topologyOf(machine);
  EXPECT_EQ(topology.hierarchy().members(0, 0), 1);
  EXPECT_EQ(topology.hierarchy().members(0, 1), 2);
}

}  // namespace
}  // namespace atl
