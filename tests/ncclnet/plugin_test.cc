// SPDX-License-Identifier: Apache-2.0
// Which plug-in is taken, and what is said of one that cannot be.
#include "transports/ncclnet/plugin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/ncclnet/strict_library.h"
#include "transports/ncclnet/context.h"
#include "transports/ncclnet/ncclnet.h"

namespace atl::ncclnet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<const Plugin*> pluginOf(const std::string& names) {
  NcclNetSettings settings;
  settings.plugins = names;
  return Plugin::forSettings(settings);
}

std::string refusalOf(const std::string& names) {
  const auto plugin = pluginOf(names);
  return plugin.ok() ? "there is one" : plugin.error().text;
}

TEST(NcclNetLibraries, AreTriedAsNcclTriesThem) {
  EXPECT_THAT(librariesFor("ofi"), ElementsAre("ofi", "libnccl-net-ofi.so"));
  EXPECT_THAT(librariesFor("libnccl-net-ofi.so"), ElementsAre("libnccl-net-ofi.so"));
  EXPECT_THAT(librariesFor("./ofi"), ElementsAre("./ofi"));
}

TEST(NcclNetPlugin, AbsentIsAnErrorWithEveryLibraryThatWasTried) {
  const auto text = refusalOf("nowhere");
  EXPECT_THAT(text, HasSubstr("ATOLL_NCCL_NET_PLUGIN"));
  EXPECT_THAT(text, HasSubstr("nowhere: cannot open"));
  EXPECT_THAT(text, HasSubstr("libnccl-net-nowhere.so: cannot open"));
}

TEST(NcclNetPlugin, ALibraryThatIsNoneIsAnErrorThatNamesTheSymbols) {
  EXPECT_THAT(refusalOf("libm.so.6"), HasSubstr("libm.so.6 has none of ncclNetPlugin_v8 to ncclNetPlugin_v12"));
}

TEST(NcclNetPlugin, OneThatLacksAFunctionIsAnErrorThatNamesIt) {
  EXPECT_THAT(refusalOf(test::strictLibrary(9, "_without_isend")),
              HasSubstr("_without_isend.so (ncclNetPlugin_v9, Strict): it has no isend"));
}

TEST(NcclNetPlugin, NoneAsksForNone) {
  EXPECT_THAT(refusalOf("none"), HasSubstr("'none' asks for none"));
}

TEST(NcclNetPlugin, OneWithoutDevicesOrThatCannotBeginIsAnErrorAndMayBeTriedAgain) {
  const auto library = test::strictLibrary(12);
  const auto& control = test::strictControl(12);
  for (const char* const call : {"init", "devices", "getProperties", "finalize"}) {
    control.fail(call, 1, 2);
    EXPECT_THAT(refusalOf(library), HasSubstr(std::string(call) + " returned 2 (ncclSystemError); it warned: " + call));
    EXPECT_TRUE(control.hasFailed());
    EXPECT_LE(control.state().initialised, 1);
  }
  control.setDevices(0);
  EXPECT_THAT(refusalOf(library), HasSubstr("(ncclNetPlugin_v12, Strict) finds no device"));
  control.setDevices(2);
  EXPECT_TRUE(pluginOf(library).ok());
}

TEST(NcclNetPlugin, TheFirstOfAListThatWorksIsTaken) {
  const auto library = test::strictLibrary(10);
  const auto plugin = pluginOf("nowhere,none," + library + "," + test::strictLibrary(11));
  ASSERT_TRUE(plugin.ok()) << plugin.error().text;
  EXPECT_EQ((*plugin)->library(), library);
  EXPECT_EQ((*plugin)->net().version(), 10);
  ASSERT_EQ((*plugin)->devices().size(), 2U);
  EXPECT_EQ((*plugin)->devices()[1].name, "strict1");
  EXPECT_EQ((*plugin)->devices()[1].megabits, 1000);
  EXPECT_EQ(*pluginOf(library), *plugin);
}

TEST(NcclNetPlugin, TheNewestVersionThatBothKnowIsTaken) {
  const auto plugin = pluginOf(ATOLL_NET_PLUGIN);
  ASSERT_TRUE(plugin.ok()) << plugin.error().text;
  EXPECT_EQ((*plugin)->net().version(), 12);
  EXPECT_EQ((*plugin)->name(), "Atoll");
}

TEST(NcclNetPlugin, WhatNcclIsToldHoldsUnlessAtollIsToldOtherwise) {
  ::unsetenv("ATOLL_NCCL_NET_PLUGIN");
  ::setenv("NCCL_NET_PLUGIN", "nowhere", 1);
  EXPECT_THAT(whyNoNcclNet(), HasSubstr("(NCCL_NET_PLUGIN): nowhere: cannot open"));
  ::setenv("ATOLL_NCCL_NET_PLUGIN", test::strictLibrary(8).c_str(), 1);
  EXPECT_EQ(whyNoNcclNet(), "");
  ::unsetenv("ATOLL_NCCL_NET_PLUGIN");
  ::setenv("NCCL_NET_PLUGIN", test::strictLibrary(8).c_str(), 1);
  EXPECT_EQ(whyNoNcclNet(), "");
  ::unsetenv("NCCL_NET_PLUGIN");
}

TEST(NcclNetDevice, IsNearTheProcessAndAnotherForEachOfAHostUnlessItIsNamed) {
  std::vector<DeviceProperties> devices(4);
  for (std::size_t i = 0; i < devices.size(); ++i) {
    devices[i].name = "nic" + std::to_string(i);
    devices[i].memoryKinds = kHostMemory | kCudaMemory;
  }
  devices[3].driver = 1;
  const std::vector<int> distances = {20, 10, 10, 10};
  EXPECT_EQ(*chooseDevice(devices, "", 0, distances), 1);
  EXPECT_EQ(*chooseDevice(devices, "", 1, distances), 2);
  EXPECT_EQ(*chooseDevice(devices, "", 2, distances), 2);
  EXPECT_EQ(*chooseDevice(devices, "", 1, {12, 32, 20, 10}), 0);
  EXPECT_EQ(*chooseDevice(devices, "nic0", 1, distances), 0);
  const auto none = chooseDevice(devices, "nic3", 0, distances);
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().text, HasSubstr("no device 'nic3' can be used (ATOLL_NCCL_NET_DEVICE); there are nic0, "
                                           "nic1, nic2, nic3 (driven by a GPU)"));
}

}  // namespace
}  // namespace atl::ncclnet
