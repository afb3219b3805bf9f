// SPDX-License-Identifier: Apache-2.0
// A rank whose call fails on its device tells the others, although nobody asks it: their calls wait for nothing that
// will not come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>

#include "tests/cuda/captured_graph.h"
#include "tests/cuda/world.h"
#include "tests/fakecuda/fakecuda.h"

namespace atl {
namespace {

using test::CapturedGraph;
using test::DeviceBuffer;
using test::deviceCall;
using test::DeviceWorld;
using test::kSum;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::size_t kCount = kSum.count;

/// A limit that no rank comes to whose call is ended by others; a rank that does has an error of its own.
constexpr double kLate = 60;
constexpr double kSoon = 1;

/// Why a rank's communicator has failed. Asked of the one that was told before it is of the one that failed, which
/// would tell when it is asked.
Error errorOf(DeviceWorld& world, Rank rank) {
  const Status status = world[rank].failure();
  return status.ok() ? Error{ErrorCode::internalError, "it has not failed"} : status.error();
}

TEST(CudaFailures, TimeOutOnADevice_EndsTheOthersWithItsReason) {
  DeviceWorld world({0, 1, 2}, std::vector<double>{kSoon, kLate, kLate});
  ASSERT_FALSE(world.run(kSum));
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    if (rank == 2) return;
    DeviceBuffer buffer(kCount * sizeof(int));
    ASSERT_TRUE(world[rank].run(deviceCall(kSum, buffer.data(), buffer.data(), stream)).ok());
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  });
  const Error told = errorOf(world, 1);
  EXPECT_EQ(told.code, ErrorCode::timeout);
  EXPECT_EQ(errorOf(world, 0).code, ErrorCode::timeout);
  EXPECT_THAT(told.text, AllOf(HasSubstr("rank 0"), HasSubstr("failed: nothing moved for 1 s")));
}

TEST(CudaFailures, TimeOutOfAReplayedCall_EndsTheOthersWithItsReason) {
  DeviceWorld world({0, 1, 2}, std::vector<double>{kSoon, kLate, kLate});
  ASSERT_FALSE(world.run(kSum));
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    DeviceBuffer buffer(kCount * sizeof(int));
    CapturedGraph graph(stream);
    ASSERT_NO_FATAL_FAILURE(
        graph.capture([&] { return world[rank].run(deviceCall(kSum, buffer.data(), buffer.data(), stream)); }));
    if (rank != 2) graph.replay();
  });
  EXPECT_THAT(errorOf(world, 1).text, AllOf(HasSubstr("rank 0"), HasSubstr("failed: nothing moved for 1 s")));
}

TEST(CudaFailures, LostDevice_EndsTheOthersWithItsReason) {
  DeviceWorld world({0, 1}, kLate);
  ASSERT_FALSE(world.run(kSum));
  world.lose();
  std::latch lost(1);
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    DeviceBuffer buffer(kCount * sizeof(int));
    if (rank == 1) {
      // The call is queued behind this, and is still when the device goes.
      const auto wait = [](void* latch) { static_cast<std::latch*>(latch)->wait(); };
      ASSERT_EQ(cudaLaunchHostFunc(stream, wait, &lost), cudaSuccess);
    }
    ASSERT_TRUE(world[rank].run(deviceCall(kSum, buffer.data(), buffer.data(), stream)).ok());
    if (rank == 1) {
      fakecuda::loseDevice(1);
      lost.count_down();
    }
    cudaStreamSynchronize(stream);
  });
  const Error told = errorOf(world, 0);
  EXPECT_EQ(told.code, ErrorCode::deviceError);
  EXPECT_THAT(told.text, AllOf(HasSubstr("rank 1"), HasSubstr("failed: device 1: "), HasSubstr("LaunchFailure")));
}

}  // namespace
}  // namespace atl
