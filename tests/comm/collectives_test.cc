// SPDX-License-Identifier: Apache-2.0
// Every collective by every algorithm that serves it, on real data, ranks as threads.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/run_cases.h"
#include "transports/link.h"

namespace atl {
namespace {

using test::CollectiveCase;
using test::runAll;

/// One pair of the catalogue a test.
class EveryAlgorithm : public testing::TestWithParam<test::Served> {
 protected:
  static bool serves(Rank ranks) { return GetParam().algorithm->serves(GetParam().collective, ranks, false); }
  static Settings forced() {
    Settings settings = test::testSettings();
    settings.algorithms = GetParam().rule();
    return settings;
  }
};

TEST_P(EveryAlgorithm, EveryCountTypeAndOp_GivesTheRightData) {
  const Collective collective = GetParam().collective;
  const auto wideTypes =
      isReducing(collective) ? std::vector{DataType::float32} : std::vector{DataType::float32, DataType::uint8};
  for (const Rank ranks : test::ranksToTry()) {
    if (!serves(ranks)) continue;
    Settings settings = forced();
    settings.tileBytes = 4096;  // several tiles even at these sizes
    const auto n = static_cast<std::size_t>(ranks);
    SCOPED_TRACE(fmt::format("{} ranks", ranks));
    runAll(ranks, settings, test::casesFor(collective, ranks, {0, 1, n - 1, n + 1, 127, 1031, 5000}, wideTypes));
    runAll(ranks, settings, test::casesFor(collective, ranks, {1, 13}, test::typesToTry()));
  }
}

TEST_P(EveryAlgorithm, PayloadOfManySlices_GivesTheRightData) {
  const Collective collective = GetParam().collective;
  for (const Rank ranks : {3, 4}) {
    if (collective == Collective::barrier || !serves(ranks)) continue;
    const Rank root = isRooted(collective) ? 1 : kNoRank;
    // Large enough for what one round produces to be forwarded while it is still being produced, with and without
    // tiles.
    runAll(ranks, forced(),
           {{collective, 150001, DataType::float32, ReduceOp::sum, root, false},
            {collective, 150001, DataType::float32, ReduceOp::max, root, true},
            {collective, 600011, DataType::float32, ReduceOp::sum, root, false}});
  }
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EveryAlgorithm, testing::ValuesIn(test::servedBetween(1, 9)),
                         [](const auto& chosen) {
                           std::string name =
                               fmt::format("{}_{}", chosen.param.algorithm->name, nameOf(chosen.param.collective));
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
                           return name;
                         });

// The owner of a slice writes it to where the others want it, be it ever so short.
TEST(Collectives, DeliveredResults_AreRight) {
  for (const char* const algorithm : {"two-shot", "ring"}) {
    Settings settings = test::testSettings();
    settings.paths.flat = Path::off;
    settings.algorithms = fmt::format("allreduce:{}", algorithm);
    settings.tileBytes = 4096;
    for (const Rank ranks : {2, 3, 5}) {
      const auto n = static_cast<std::size_t>(ranks);
      SCOPED_TRACE(fmt::format("{} on {} ranks", algorithm, ranks));
      runAll(ranks, settings, test::casesFor(Collective::allReduce, ranks, {n + 1, 1031, 5000}, test::typesToTry()));
    }
  }
}

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

TEST(Collectives, SizesAroundASlotsRoom_GiveTheRightData) {
  for (const Rank ranks : {2, 3, 5}) {
    std::vector<CollectiveCase> cases;
    for (int c = 0; c < kCollectives; ++c) {
      const auto collective = static_cast<Collective>(c);
      if (collective == Collective::pointToPoint || collective == Collective::barrier) continue;
      for (const std::size_t bytes : {kInlineBytes, 2 * kInlineBytes, kSmallBytes}) {
        for (const std::size_t count : {bytes / 4 - 1, bytes / 4, bytes / 4 + 1}) {
          for (const bool inPlace : {false, true}) {
            cases.push_back(
                {collective, count, DataType::float32, ReduceOp::sum, isRooted(collective) ? 1 : kNoRank, inPlace});
          }
        }
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
