// SPDX-License-Identifier: Apache-2.0
// Prices for the chooser: of links that two ranks really have.
#include "src/comm/link_table.h"

#include <gtest/gtest.h>

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
  auto worst = table.worstModel();
  EXPECT_TRUE(worst.ok()) << worst.error().text;
  if (worst.ok()) prices.worst = *worst;
  return prices;
}

TEST(WorstModel, OneRankAProcess_IsOfTheLinksBetweenProcesses) {
  const Prices prices = pricesFor({0, 1, 2});
  ASSERT_NE(prices.shm.perByte, prices.inproc.perByte);
  EXPECT_EQ(prices.worst.perByte, prices.shm.perByte);
}

TEST(WorstModel, RanksOfOneProcess_IsOfTheLinksInside) {
  const Prices prices = pricesFor({0, 0, 0});
  EXPECT_EQ(prices.worst.perByte, prices.inproc.perByte);
}

TEST(WorstModel, OneRankAlone_NeedsNoTransport) {
  const Prices prices = pricesFor({0});
  EXPECT_EQ(prices.worst.latency, 0);
}

}  // namespace
}  // namespace atl
