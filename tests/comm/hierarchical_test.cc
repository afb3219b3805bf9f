// SPDX-License-Identifier: Apache-2.0
// Hierarchical collectives on real data, ranks as threads, islands as files say.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/run_cases.h"
#include "tests/support/unequal_blocks.h"

namespace atl {
namespace {

/// Levels of a topology file, and the number of ranks in them.
struct Islands {
  const char* name;
  const char* levels;
  Rank ranks;
};

// Sanitizers slow a case down tens of times, and see in some what they would see in all.
#ifdef ATOLL_SANITIZED
constexpr const char* kPlacements[] = {"by-island"};
constexpr std::size_t kMany = 20003;
#else
constexpr const char* kPlacements[] = {"by-slot", "by-island"};
constexpr std::size_t kMany = 150001;
#endif

class HierarchicalCollectives : public testing::TestWithParam<Islands> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("atoll-hierarchical-{}", ::getpid());
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// A file is read once in a process, so each case has one of its own.
  [[nodiscard]] Settings settingsFor(std::string_view algorithm, std::string_view placement) const {
    const auto path = folder_ / fmt::format("{}-{}-{}.yaml", GetParam().name, algorithm, placement);
    std::ofstream(path) << fmt::format("{{atoll-topology: 1, levels: [{}], placement: {}}}", GetParam().levels,
                                       placement);
    Settings settings = test::testSettings();
    settings.topologyFile = path;
    settings.algorithms = algorithm;  // of what it does not serve, the chooser's
    settings.tileBytes = 4096;        // several tiles even at these sizes
    return settings;
  }

  /// All collectives by the algorithm, or by what the chooser takes where it serves none.
  void runEverything(std::string_view algorithm, std::string_view placement) const {
    SCOPED_TRACE(fmt::format("{}, {}", algorithm, placement));
    const auto ranks = GetParam().ranks;
    // Every type with one of the algorithms; the others move the same data on other ways.
    const auto types = algorithm == "hierarchical" ? test::typesToTry() : std::vector{DataType::float16};
    std::vector<test::CollectiveCase> cases;
    for (int c = 0; c < kCollectives; ++c) {
      const auto collective = static_cast<Collective>(c);
      if (collective == Collective::pointToPoint) continue;
      const std::size_t many = payloadBlocks(collective, 2) == 1 ? kMany : 20003;
      for (const auto& some : {test::casesFor(collective, ranks, {13}, types),
                               test::casesFor(collective, ranks, {0, 1, 1031, 5000, many}, {DataType::float32})}) {
        cases.insert(cases.end(), some.begin(), some.end());
      }
    }
    test::runAll(ranks, settingsFor(algorithm, placement), cases);
  }

  std::filesystem::path folder_;
};

TEST_P(HierarchicalCollectives, EveryCountTypeAndOp_GiveTheRightData) {
  for (const char* const algorithm : {"hierarchical", "hierarchical-pipelined", "hierarchical-leader"}) {
    for (const char* const placement : kPlacements) runEverything(algorithm, placement);
  }
}

TEST_P(HierarchicalCollectives, RoutesAlongIslands_GiveTheRightData) {
  for (const char* const algorithm : {"ring", "chain", "double-binary-tree", "binomial"}) {
    runEverything(algorithm, "by-island");
  }
}

TEST_P(HierarchicalCollectives, UnequalBlocks_GiveTheRightData) {
  for (const char* const algorithm : {"hierarchical", "hierarchical-leader"}) {
    SCOPED_TRACE(algorithm);
    Settings settings = settingsFor(algorithm, "by-island");
    settings.algorithms = fmt::format("allgather:{0},reducescatter:{0}", algorithm);
    auto communicators = test::communicators(GetParam().ranks, settings);
    test::onThreads(GetParam().ranks, [&](Rank rank) {
      const Status status = test::runUnequalBlocks(*communicators[static_cast<std::size_t>(rank)]);
      EXPECT_TRUE(status.ok()) << status.error().text;
    });
  }
}

// Blocks that were gathered for others lie apart from each other, and socket links take what lies together.
TEST_P(HierarchicalCollectives, OverSockets_GiveTheRightData) {
  for (const char* const algorithm : {"hierarchical", "hierarchical-leader"}) {
    SCOPED_TRACE(algorithm);
    Settings settings = settingsFor(algorithm, "by-island");
    settings.transports = "tcp";
    for (const Collective collective : {Collective::allToAll, Collective::allGather, Collective::reduceScatter}) {
      test::runAll(GetParam().ranks, settings,
                   test::casesFor(collective, GetParam().ranks, {1, 13, 1031, 5000}, {DataType::float32}));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, HierarchicalCollectives,
    testing::Values(
        Islands{"TwoPairs", "{name: host, kind: switch, members: 2}, {name: net, kind: switch, members: 2}", 4},
        Islands{"UnequalHosts", "{name: host, kind: switch, members: [3, 5, 1]}, {name: net, kind: switch, members: 3}",
                9},
        Islands{"UnequalHostsInPods",
                "{name: host, kind: switch, members: [3, 5, 1]}, {name: pod, kind: switch, members: [2, 1]},"
                "{name: net, kind: switch, members: 2}",
                9},
        Islands{"ThreeLevels",
                "{name: host, kind: switch, members: [2, 1, 3]}, {name: pod, kind: switch, members: [2, 1]},"
                "{name: net, kind: switch, members: 2}",
                6}),
    [](const auto& chosen) { return chosen.param.name; });

}  // namespace
}  // namespace atl
