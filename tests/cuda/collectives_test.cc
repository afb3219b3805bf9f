// SPDX-License-Identifier: Apache-2.0
// Every collective by every algorithm between devices: on devices of their own, and on one that ranks share.
#include <gtest/gtest.h>

#include "tests/cuda/world.h"
#include "tests/support/case_matrix.h"

namespace atl {
namespace {

using test::CollectiveCase;
using test::DeviceWorld;

// Sanitizers slow a case down tens of times, and see in some what they would see in all.
#ifdef ATOLL_SANITIZED
const std::vector<int> kPlacements[] = {{0, 0, 1}};
constexpr std::size_t kCounts[] = {0, 333, 20'000};
constexpr std::size_t kLarge = 1 << 18;
#else
const std::vector<int> kPlacements[] = {{0, 1}, {0, 1, 2}, {2, 2, 2}, {0, 0, 1}, {3}};
constexpr std::size_t kCounts[] = {0, 1, 333, 40'000};
constexpr std::size_t kLarge = 1 << 20;
#endif

TEST(CudaCollectives, EveryAlgorithm_GivesTheRightData) {
  for (const std::vector<int>& devices : kPlacements) {
    const auto ranks = static_cast<Rank>(devices.size());
    for (const test::Served& served : test::servedBetween(ranks, ranks)) {
      SCOPED_TRACE(fmt::format("{} on {} ranks, the first on device {}", served.rule(), ranks, devices[0]));
      DeviceWorld world(devices, 20, served.rule());
      const Rank root = isRooted(served.collective) ? ranks - 1 : kNoRank;
      for (const std::size_t count : kCounts) {
        if (served.collective == Collective::barrier && count > 0) continue;
        for (const bool inPlace : {false, true}) {
          if (inPlace && served.collective == Collective::allToAll) continue;
          const auto wrong = world.run({served.collective, count, DataType::int32, ReduceOp::sum, root, inPlace});
          ASSERT_FALSE(wrong) << "count " << count << (inPlace ? ", in place: " : ": ") << *wrong;
        }
      }
    }
  }
}

TEST(CudaCollectives, EveryTypeAndOperator_GivesTheRightData) {
  DeviceWorld world({0, 1, 0});
  for (const DataType type : test::typesToTry()) {
    for (int op = 0; op < kReduceOps; ++op) {
      const CollectiveCase c{Collective::allReduce, 1031, type, static_cast<ReduceOp>(op), kNoRank, false};
      const auto wrong = world.run(c);
      ASSERT_FALSE(wrong) << test::describe(c) << ": " << *wrong;
    }
  }
}

TEST(CudaCollectives, LargeMessages_GoThroughSlotsOverAndOver) {
  DeviceWorld world({0, 1, 2});
  for (const Collective collective : {Collective::allReduce, Collective::allGather, Collective::allToAll}) {
    const auto wrong = world.run({collective, kLarge, DataType::float32, ReduceOp::sum, kNoRank, false});
    ASSERT_FALSE(wrong) << nameOf(collective) << ": " << *wrong;
  }
}

TEST(CudaCollectives, RepeatedCalls_NeedNoMoreMemory) {
  DeviceWorld world({0, 1});
  const CollectiveCase c{Collective::allReduce, 5000, DataType::float32, ReduceOp::sum, kNoRank, false};
  ASSERT_FALSE(world.run(c));
  const auto before = world[0].stats();
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(world.run(c));
  const auto after = world[0].stats();
  EXPECT_EQ(after.bytesHeld, before.bytesHeld);
  EXPECT_EQ(after.programs, before.programs);
  EXPECT_EQ(after.calls, before.calls + 20);
}

TEST(CudaCollectives, PreMulSum_ScalesTheInputFirst) {
  DeviceWorld world({0, 1});
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    const std::vector<float> ones(300, 1);
    test::DeviceBuffer input(ones.size() * sizeof(float));
    test::DeviceBuffer output(ones.size() * sizeof(float));
    input.put(ones.data());
    Call call = test::deviceCall({Collective::allReduce, ones.size(), DataType::float32, ReduceOp::sum, kNoRank, false},
                                 input.data(), output.data(), stream);
    const float scalar = rank == 0 ? 2 : 3;
    call.op.kind = Operator::Kind::preMulSum;
    std::memcpy(call.op.scalar.data(), &scalar, sizeof scalar);
    const auto status = world[rank].run(call);
    ASSERT_TRUE(status.ok()) << status.error().text;
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    std::vector<float> got(ones.size());
    output.get(got.data());
    EXPECT_EQ(got, std::vector<float>(ones.size(), 5));
    input.get(got.data());
    EXPECT_EQ(got, ones);
  });
}

}  // namespace
}  // namespace atl
