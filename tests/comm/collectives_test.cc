// SPDX-License-Identifier: Apache-2.0
// Every collective by every algorithm that serves it, on real data, ranks as threads.
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "src/plan/algorithm.h"
#include "tests/support/collective_case.h"
#include "tests/support/rank_threads.h"

namespace atl {
namespace {

using test::CollectiveCase;

const std::vector<DataType>& allTypes() {
  static const std::vector<DataType> types = [] {
    std::vector<DataType> list;
    for (int t = 0; t < kDataTypes; ++t) list.push_back(static_cast<DataType>(t));
    return list;
  }();
  return types;
}

/// Runs the cases on every rank, in order, and reports the first failure of each rank.
void runAll(Rank ranks, const Settings& settings, const std::vector<CollectiveCase>& cases) {
  auto communicators = test::communicators(ranks, settings);
  std::mutex mutex;
  std::vector<std::string> failures;
  test::onThreads(ranks, [&](Rank rank) {
    for (const CollectiveCase& c : cases) {
      const auto wrong = test::runCase(*communicators[static_cast<std::size_t>(rank)], c);
      if (!wrong) continue;
      const std::scoped_lock lock(mutex);
      failures.push_back(fmt::format("{} count {} {} {} root {}{}: {}", nameOf(c.collective), c.count, nameOf(c.type),
                                     nameOf(c.op), c.root, c.inPlace ? " in place" : "", *wrong));
      return;
    }
  });
  for (const auto& failure : failures) ADD_FAILURE() << failure;
}

std::vector<CollectiveCase> casesFor(Collective collective, Rank ranks, bool wide) {
  std::vector<CollectiveCase> cases;
  const auto n = static_cast<std::size_t>(ranks);
  const std::vector<std::size_t> counts =
      wide ? std::vector<std::size_t>{0, 1, n - 1, n + 1, 127, 1031, 5000} : std::vector<std::size_t>{1, 13};
  const Rank root = isRooted(collective) ? ranks - 1 : kNoRank;
  for (const std::size_t count : counts) {
    for (const bool inPlace : {false, true}) {
      if (collective == Collective::barrier) {
        cases.push_back({collective, 0, DataType::uint8, ReduceOp::sum, root, false});
        continue;
      }
      if (!isReducing(collective)) {
        cases.push_back({collective, count, DataType::float32, ReduceOp::sum, root, inPlace});
        cases.push_back({collective, count, DataType::uint8, ReduceOp::sum, root, inPlace});
        continue;
      }
      for (const DataType type : wide ? std::vector{DataType::float32} : allTypes()) {
        for (int op = 0; op < kReduceOps; ++op)
          cases.push_back({collective, count, type, static_cast<ReduceOp>(op), root, inPlace});
      }
    }
  }
  return cases;
}

/// (index in the catalogue, collective)
class EveryAlgorithm : public testing::TestWithParam<std::tuple<std::string, Collective>> {};

TEST_P(EveryAlgorithm, EveryCountTypeAndOp_GivesTheRightData) {
  const auto& [name, collective] = GetParam();
  const plan::Algorithm* const algorithm = plan::algorithmNamed(name);
  ASSERT_NE(algorithm, nullptr);
  for (Rank ranks = 1; ranks <= 9; ++ranks) {
    if (!algorithm->serves(collective, ranks, false)) continue;
    Settings settings = test::testSettings();
    settings.algorithms = fmt::format("{}:{}", nameOf(collective), name);
    settings.tileBytes = 4096;  // several tiles even at these sizes
    SCOPED_TRACE(fmt::format("{} ranks", ranks));
    runAll(ranks, settings, casesFor(collective, ranks, true));
    runAll(ranks, settings, casesFor(collective, ranks, false));
  }
}

TEST_P(EveryAlgorithm, PayloadOfManySlices_GivesTheRightData) {
  const auto& [name, collective] = GetParam();
  for (const Rank ranks : {3, 4}) {
    if (collective == Collective::barrier || !plan::algorithmNamed(name)->serves(collective, ranks, false)) continue;
    Settings settings = test::testSettings();
    settings.algorithms = fmt::format("{}:{}", nameOf(collective), name);
    const Rank root = isRooted(collective) ? 1 : kNoRank;
    // Large enough for what one round produces to be forwarded while it is still being produced, with and without
    // tiles.
    runAll(ranks, settings,
           {{collective, 150001, DataType::float32, ReduceOp::sum, root, false},
            {collective, 150001, DataType::float32, ReduceOp::max, root, true},
            {collective, 600011, DataType::float32, ReduceOp::sum, root, false}});
  }
}

std::vector<std::tuple<std::string, Collective>> everyAlgorithm() {
  std::vector<std::tuple<std::string, Collective>> list;
  for (const plan::Algorithm& algorithm : plan::catalogue()) {
    for (int c = 0; c < kCollectives; ++c) {
      bool serves = false;
      for (Rank ranks = 1; ranks <= 9; ++ranks) serves |= algorithm.serves(static_cast<Collective>(c), ranks, false);
      if (serves) list.emplace_back(std::string(algorithm.name), static_cast<Collective>(c));
    }
  }
  return list;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryAlgorithm, testing::ValuesIn(everyAlgorithm()), [](const auto& chosen) {
  std::string name = fmt::format("{}_{}", std::get<0>(chosen.param), nameOf(std::get<1>(chosen.param)));
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

TEST(Collectives, EveryRoot_GivesTheRightData) {
  for (const Rank ranks : {2, 5, 8}) {
    std::vector<CollectiveCase> cases;
    for (const Collective collective :
         {Collective::broadcast, Collective::reduce, Collective::gather, Collective::scatter}) {
      for (Rank root = 0; root < ranks; ++root) {
        cases.push_back({collective, 100, DataType::int32, ReduceOp::sum, root, false});
        cases.push_back({collective, 100, DataType::int32, ReduceOp::sum, root, true});
      }
    }
    runAll(ranks, test::testSettings(), cases);
  }
}

TEST(Collectives, LargePayload_GivesTheRightData) {
  std::vector<CollectiveCase> cases;
  for (int c = 0; c < kCollectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    if (collective == Collective::pointToPoint || collective == Collective::barrier) continue;
    for (const bool inPlace : {false, true}) {
      cases.push_back(
          {collective, 300007, DataType::float32, ReduceOp::sum, isRooted(collective) ? 1 : kNoRank, inPlace});
    }
  }
  runAll(4, test::testSettings(), cases);
}

}  // namespace
}  // namespace atl
