// SPDX-License-Identifier: Apache-2.0
// The code that walks plans on devices, on host threads: every way that data takes, every family of plans, with places
// so small that all of them are used over and over.
#include <gtest/gtest.h>

#include "tests/device/world.h"
#include "tests/support/case_matrix.h"

namespace atl {
namespace {

using test::CollectiveCase;
using test::World;
using test::WorldShape;

constexpr WorldShape kShapes[] = {
    {"Slots", 512, 64, 0, false, 3},
    {"Packets", 512, 64, 1 << 20, false, 3},
    {"Places", 512, 64, 0, true, 3},
    {"PacketsAndSlots", 1024, 32, 400, false, 2},
    {"PacketsAndPlaces", 512, 48, 400, true, 1},
    {"LinksWithoutPackets", 512, 0, 400, false, 2},
};

// Sanitizers slow a case down tens of times, and see in some what they would see in all.
#ifdef ATOLL_SANITIZED
constexpr Rank kRanks[] = {3};
constexpr std::size_t kCounts[] = {1, 1500};
#else
constexpr Rank kRanks[] = {2, 3, 5};
constexpr std::size_t kCounts[] = {0, 1, 7, 333, 5000};
#endif
constexpr std::uint64_t kOneTile = 1 << 20;

class DeviceWalk : public testing::TestWithParam<WorldShape> {};

TEST_P(DeviceWalk, EveryAlgorithm_GivesTheRightData) {
  for (const Rank ranks : kRanks) {
    for (const test::Served& served : test::servedBetween(ranks, ranks)) {
      SCOPED_TRACE(fmt::format("{} on {} ranks", served.rule(), ranks));
      World world(ranks, GetParam());
      const Rank root = isRooted(served.collective) ? ranks - 1 : kNoRank;
      for (const std::size_t count : kCounts) {
        if (served.collective == Collective::barrier && count > 0) continue;
        for (const std::uint64_t tileBytes : {kOneTile, std::uint64_t{2048}}) {
          if (tileBytes < kOneTile && (!served.algorithm->tileable || count < 1000)) continue;
          const auto wrong = world.run(
              *served.algorithm, {served.collective, count, DataType::int32, ReduceOp::sum, root, false}, tileBytes);
          ASSERT_FALSE(wrong) << "count " << count << ", tiles of " << tileBytes << ": " << *wrong;
        }
      }
    }
  }
}

TEST_P(DeviceWalk, EveryElementSizeAndOperator_GivesTheRightData) {
  World world(3, GetParam());
  for (const char* const name : {"ring", "two-shot", "one-shot"}) {
    for (const DataType type : {DataType::uint8, DataType::float32, DataType::uint64}) {
      for (const ReduceOp op : {ReduceOp::sum, ReduceOp::max, ReduceOp::avg}) {
        for (const std::size_t count : {13U, 1031U}) {
          const CollectiveCase c{Collective::allReduce, count, type, op, kNoRank, false};
          SCOPED_TRACE(fmt::format("{} by {}", test::describe(c), name));
          const auto wrong = world.run(*plan::algorithmNamed(name), c, kOneTile);
          ASSERT_FALSE(wrong) << *wrong;
        }
      }
    }
  }
}

TEST_P(DeviceWalk, ManyCalls_ReuseThePlaces) {
  World world(3, GetParam());
  for (int i = 0; i < 40; ++i) {
    const std::size_t count = 1 + static_cast<std::size_t>(i * i * 7 % 900);
    const auto wrong = world.run(*plan::algorithmNamed(i % 2 == 0 ? "ring" : "recursive-doubling"),
                                 {Collective::allReduce, count, DataType::int32, ReduceOp::sum, kNoRank, false}, 1024);
    ASSERT_FALSE(wrong) << "call " << i << ": " << *wrong;
  }
}

TEST_P(DeviceWalk, CallsOfOneLaunch_ReadWhatThoseBeforeThemWrote) {
  World world(3, GetParam());
  const auto* const ring = plan::algorithmNamed("ring");
  const auto* const oneShot = plan::algorithmNamed("one-shot");
  for (const std::size_t count : {1U, 700U, 3000U}) {
    for (const auto& algorithms : {std::vector{ring, oneShot}, {oneShot, ring, ring, oneShot, ring}}) {
      const auto wrong =
          world.runTogether(algorithms, {Collective::allReduce, count, DataType::int32, ReduceOp::sum, kNoRank, false});
      ASSERT_FALSE(wrong) << "count " << count << ": " << *wrong;
    }
  }
}

TEST_P(DeviceWalk, RankThatDoesNotCome_IsNamedWhenTheHostAborts) {
  World world(3, GetParam());
  world.signals().patience = 200'000'000;
  const auto failures =
      world.runBadly(*plan::algorithmNamed("one-shot"),
                     {Collective::allReduce, 5000, DataType::int32, ReduceOp::sum, kNoRank, false}, 1, 0);
  for (const Rank rank : {0, 2}) {
    const device::Failure& failure = failures[static_cast<std::size_t>(rank)];
    EXPECT_EQ(failure.kind, static_cast<std::uint64_t>(device::Failure::Kind::interrupted));
    EXPECT_EQ(failure.peer, 1);
  }
}

TEST_P(DeviceWalk, RankInAnotherCall_IsNamed) {
  World world(3, GetParam());
  world.signals().patience = 2'000'000'000;
  constexpr std::uint64_t kOther = 0x1234;
  const auto failures =
      world.runBadly(*plan::algorithmNamed("one-shot"),
                     {Collective::allReduce, 64, DataType::int32, ReduceOp::sum, kNoRank, false}, 2, kOther);
  for (const Rank rank : {0, 1}) {
    const device::Failure& failure = failures[static_cast<std::size_t>(rank)];
    EXPECT_EQ(failure.kind, static_cast<std::uint64_t>(device::Failure::Kind::mismatch));
    EXPECT_EQ(failure.peer, 2);
    EXPECT_EQ(failure.got, kOther);
  }
}

INSTANTIATE_TEST_SUITE_P(By, DeviceWalk, testing::ValuesIn(kShapes),
                         [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace atl
