// SPDX-License-Identifier: Apache-2.0
// Prices for the chooser: of links that two ranks really have.
#include "src/comm/link_table.h"

#include <gtest/gtest.h>

#include "src/comm/device_prices.h"

namespace atl {
namespace {

/// A job whose rank r lives in process processOf[r] of one host; nobody is there to connect to.
Directory jobOnOneHost(std::vector<std::uint32_t> processOf) {
  Directory directory;
  directory.processOf = std::move(processOf);
  for (std::uint64_t id = 1; id <= directory.processOf.back() + 1; ++id) {
    ProcessInfo process;
    process.id = id;
    process.host = 1;
    process.transports = builtTransports();
    process.localName = "atoll-test";
    process.addresses.emplace_back();
    directory.processes.push_back(std::move(process));
  }
  return directory;
}

struct Prices {
  plan::LinkModel worst;
  plan::TuningSite site;
  plan::LinkModel inproc;
  plan::LinkModel shm;
};

Prices pricesFor(std::vector<std::uint32_t> processOf) {
  const Directory directory = jobOnOneHost(std::move(processOf));
  const Settings settings;
  Outbox outbox(settings.slotBytes, settings.slots);
  const TransportContext context{1, 0, &directory, &settings, &outbox, nullptr};
  Prices prices;
  for (const auto& transport : makeTransports(context)) {
    if (transport->name() == "inproc") prices.inproc = transport->model();
    if (transport->name() == "shm") prices.shm = transport->model();
  }
  const LinkTable table(context, outbox);
  auto survey = table.survey();
  EXPECT_TRUE(survey.ok()) << survey.error().text;
  if (survey.ok()) prices.worst = survey->worst;
  if (survey.ok()) prices.site = survey->site;
  return prices;
}

TEST(LinkSurvey, OneRankAProcess_IsOfTheLinksBetweenProcesses) {
  const Prices prices = pricesFor({0, 1, 2});
  ASSERT_NE(prices.shm.perByte, prices.inproc.perByte);
  EXPECT_EQ(prices.worst.perByte, prices.shm.perByte);
  EXPECT_EQ(prices.site, (plan::TuningSite{3, 1, "shm"}));
}

TEST(LinkSurvey, RanksOfOneProcess_IsOfTheLinksInside) {
  const Prices prices = pricesFor({0, 0, 0});
  EXPECT_EQ(prices.worst.perByte, prices.inproc.perByte);
  EXPECT_EQ(prices.site, (plan::TuningSite{3, 1, "inproc"}));
}

TEST(LinkSurvey, ThreadsOfSeveralProcesses_NamesBothKindsOfLinks) {
  EXPECT_EQ(pricesFor({0, 0, 1, 1}).site, (plan::TuningSite{4, 1, "inproc+shm"}));
}

TEST(LinkSurvey, OneRankAlone_NeedsNoTransport) {
  const Prices prices = pricesFor({0});
  EXPECT_EQ(prices.worst.latency, 0);
}

TEST(LevelModels, ProcessesOfSeveralRanks_HaveTheirOwnLinksInside) {
  const Directory directory = jobOnOneHost({0, 0, 1, 1});
  const Settings settings;
  Outbox outbox(settings.slotBytes, settings.slots);
  const LinkTable table({1, 0, &directory, &settings, &outbox, nullptr}, outbox);
  const Prices prices = pricesFor({0, 0, 1, 1});
  const std::vector<plan::Hierarchy::Members> members{{2}, {2}};
  const auto models = table.levelModels(*plan::Hierarchy::make(members));
  ASSERT_TRUE(models.ok()) << models.error().text;
  EXPECT_EQ((*models)[0].latency, prices.inproc.latency);
  EXPECT_EQ((*models)[1].latency, prices.shm.latency);
}

// Whatever joins the processes of a host, devices there have links of their own, and none between hosts.
TEST(DevicePrices, BetweenHosts_AreThoseOfTheNetworkAtLeast) {
  Directory directory = jobOnOneHost({0, 1, 2, 3});
  for (const std::size_t process : {2U, 3U}) directory.processes[process].host = 2;
  const Settings settings;
  Outbox outbox(settings.slotBytes, settings.slots);
  const TransportContext context{1, 0, &directory, &settings, &outbox, nullptr};
  const LinkTable table(context, outbox, [](const ProcessInfo& a, const ProcessInfo& b, const plan::LinkModel& hosts) {
    return deviceLinkModel(a, b, hosts, true);
  });
  const LinkTable hosts(context, outbox);
  const std::vector<plan::Hierarchy::Members> members{{2, 2}, {2}};
  const auto hierarchy = plan::Hierarchy::make(members);
  const auto models = table.levelModels(*hierarchy);
  const auto ofHosts = hosts.levelModels(*hierarchy);
  ASSERT_TRUE(models.ok() && ofHosts.ok());
  EXPECT_TRUE((*models)[0].memory);
  EXPECT_LT((*models)[0].perByte, (*ofHosts)[0].perByte);
  EXPECT_FALSE((*models)[1].memory);
  EXPECT_GE((*models)[1].perByte, (*ofHosts)[1].perByte);
  EXPECT_GT((*models)[1].latency, (*ofHosts)[1].latency);
  EXPECT_EQ(table.survey()->worst.perByte, (*models)[1].perByte);
}

TEST(DevicePrices, WithoutPeerAccess_AreOfTheHostsMemoryWithinAProcessOnly) {
  const Directory directory = jobOnOneHost({0, 0, 1});
  const auto price = [&](std::size_t a, std::size_t b, bool peerAccess) {
    plan::LinkModel shared;
    shared.memory = true;
    return deviceLinkModel(directory.processes[a], directory.processes[b], shared, peerAccess);
  };
  EXPECT_GT(price(0, 0, false).perByte, price(0, 0, true).perByte);
  EXPECT_TRUE(price(0, 0, false).memory);
  EXPECT_FALSE(price(0, 1, false).memory);
  EXPECT_GT(price(0, 1, false).latency, price(0, 0, false).latency);
}

}  // namespace
}  // namespace atl
