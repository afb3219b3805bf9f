// SPDX-License-Identifier: Apache-2.0
// What ranks that share cores mean for prices and for waiting.
#include "src/comm/waiting.h"

#include <gtest/gtest.h>

namespace atl {
namespace {

/// Processes of one rank each: `first` on a host of two cores, `second` on a host of eight.
Directory hosts(int first, int second) {
  Directory directory;
  for (int i = 0; i < first + second; ++i) {
    ProcessInfo process;
    process.id = static_cast<std::uint64_t>(i) + 1;
    process.host = i < first ? 1 : 2;
    process.cores = i < first ? 2 : 8;
    directory.processOf.push_back(static_cast<std::uint32_t>(directory.processes.size()));
    directory.processes.push_back(process);
  }
  return directory;
}

constexpr plan::LinkModel kLinks{
    .latency = 1e-6, .perMessage = 1e-7, .perByte = 1e-10, .memory = true, .bulkLatency = 1e-7};

TEST(WithContention, CoreForEveryRank_LeavesThePrices) {
  const plan::LinkModel model = withContention(kLinks, hosts(2, 8));
  EXPECT_EQ(model.latency, kLinks.latency);
  EXPECT_EQ(model.ranksPerCore, 1);
}

TEST(WithContention, MoreRanksThanCores_WaitForOneAnotherAndShareTheWork) {
  const plan::LinkModel model = withContention(kLinks, hosts(6, 8));
  EXPECT_EQ(model.ranksPerCore, 3);  // of the most crowded host
  EXPECT_GT(model.latency, kLinks.latency);
  EXPECT_GT(model.bulkLatency, kLinks.bulkLatency);
  EXPECT_EQ(model.perByte, kLinks.perByte);
}

TEST(PatienceFor, CrowdedHost_YieldsAtOnceUnlessToldOtherwise) {
  Settings settings;
  EXPECT_EQ(patienceFor(hosts(3, 8), 0, settings).polls, 0);
  EXPECT_GT(patienceFor(hosts(3, 8), 3, settings).polls, 0);
  settings.spin = 77;
  EXPECT_EQ(patienceFor(hosts(3, 8), 0, settings).polls, 77);
}

TEST(PatienceFor, CrowdedHost_SleepsSooner) {
  const Settings settings;
  EXPECT_LT(patienceFor(hosts(3, 8), 0, settings).awake, patienceFor(hosts(3, 8), 3, settings).awake);
}

}  // namespace
}  // namespace atl
