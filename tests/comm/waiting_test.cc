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

/// Processes of one rank each on one host, bound to these CPUs.
Directory bound(const std::vector<CpuList>& lists) {
  Directory directory = hosts(0, static_cast<int>(lists.size()));
  for (std::size_t i = 0; i < lists.size(); ++i) {
    directory.processes[i].cpus = lists[i];
    directory.processes[i].cores = countOf(lists[i]);
  }
  return directory;
}

bool polls(const Directory& directory) {
  return patienceFor(directory, 0, Settings{}).polls > 0;
}

TEST(PatienceFor, RanksBoundToCoresOfTheirOwn_Poll) {
  EXPECT_TRUE(polls(bound({{{0, 1}}, {{1, 1}}})));
  EXPECT_TRUE(polls(bound({{{0, 1}, {2, 1}}, {{0, 1}, {2, 1}}, {{1, 1}, {3, 1}}, {{1, 1}, {3, 1}}})));
}

TEST(PatienceFor, RanksBoundToOneCore_YieldAtOnce) {
  EXPECT_FALSE(polls(bound({{{0, 1}}, {{0, 1}}})));
  EXPECT_FALSE(polls(bound({{{0, 1}}, {{0, 1}}, {{1, 7}}}))) << "whatever others have";
  EXPECT_FALSE(polls(bound({{{0, 1}}, {{1, 1}}, {{0, 2}}}))) << "one that may run on either shares it";
}

TEST(PatienceFor, HostsThatAreNamespacesOfOneMachine_ShareItsCpus) {
  Directory directory = bound({{{0, 2}}, {{0, 2}}, {{0, 2}}, {{0, 2}}});
  for (std::size_t i = 0; i < 4; ++i) {
    directory.processes[i].host = 1 + i / 2;
    directory.processes[i].machine = 1 + i / 2;
  }
  EXPECT_TRUE(polls(directory));
  EXPECT_EQ(withContention(kLinks, directory).ranksPerCore, 1);
  for (ProcessInfo& process : directory.processes) process.machine = 1;
  EXPECT_FALSE(polls(directory));
  EXPECT_EQ(withContention(kLinks, directory).ranksPerCore, 2);
}

TEST(PatienceFor, QuotaBelowTheCpusAllowed_CountsForAll) {
  Directory directory = bound({{{0, 8}}, {{0, 8}}});
  EXPECT_TRUE(polls(directory));
  for (ProcessInfo& process : directory.processes) process.cores = 1;
  EXPECT_FALSE(polls(directory));
}

TEST(PatienceFor, CrowdedHost_SleepsSooner) {
  const Settings settings;
  EXPECT_LT(patienceFor(hosts(3, 8), 0, settings).awake, patienceFor(hosts(3, 8), 3, settings).awake);
}

}  // namespace
}  // namespace atl
