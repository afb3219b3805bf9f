// SPDX-License-Identifier: Apache-2.0
// Calls are ordered by streams as everything on a device is, and can be captured and replayed.
#include <gtest/gtest.h>

#include <latch>
#include <numeric>
#include <vector>

#include "tests/cuda/captured_graph.h"
#include "tests/cuda/world.h"

namespace atl {
namespace {

using test::CapturedGraph;
using test::CollectiveCase;
using test::DeviceBuffer;
using test::deviceCall;
using test::DeviceWorld;
using test::kSum;

constexpr std::size_t kCount = kSum.count;

/// A rank's input and output, in memory of its device.
struct Buffers {
  Buffers() : input(kCount * sizeof(int)), output(kCount * sizeof(int)) {}
  void fill(int value) { input.put(std::vector<int>(kCount, value).data()); }
  [[nodiscard]] std::vector<int> result() const {
    std::vector<int> got(kCount);
    output.get(got.data());
    return got;
  }
  DeviceBuffer input;
  DeviceBuffer output;
};

TEST(CudaStreams, CallWaitsForWhatIsQueuedBeforeIt) {
  DeviceWorld world({0, 1});
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    Buffers buffers;
    const std::vector<int> values(kCount, rank + 1);
    // Nothing is waited for between the copies and the call.
    ASSERT_EQ(
        cudaMemcpyAsync(buffers.input.data(), values.data(), kCount * sizeof(int), cudaMemcpyHostToDevice, stream),
        cudaSuccess);
    ASSERT_TRUE(world[rank].run(deviceCall(kSum, buffers.input.data(), buffers.output.data(), stream)).ok());
    std::vector<int> got(kCount);
    ASSERT_EQ(cudaMemcpyAsync(got.data(), buffers.output.data(), kCount * sizeof(int), cudaMemcpyDeviceToHost, stream),
              cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(got, std::vector<int>(kCount, 3));
  });
}

TEST(CudaStreams, CallsOnSeveralStreamsRunInTheOrderOfTheCalls) {
  DeviceWorld world({0, 1, 2});
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    cudaStream_t other = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
    Buffers buffers;
    buffers.fill(1);
    // In place, so that each call takes what the one before it left.
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(world[rank]
                      .run(deviceCall(kSum, buffers.input.data(), buffers.input.data(), i % 2 == 0 ? stream : other))
                      .ok());
    }
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    std::vector<int> got(kCount);
    buffers.input.get(got.data());
    EXPECT_EQ(got, std::vector<int>(kCount, 81));
    cudaStreamDestroy(other);
  });
}

// The sender's part of a broadcast is over when the data is on its way; the receiver tells it later what it has taken.
TEST(CudaStreams, CommunicatorCanGoWhileAPeersCallIsUnderWay) {
  constexpr CollectiveCase kBroadcast{Collective::broadcast, 8, DataType::int32, ReduceOp::sum, 0, false};
  DeviceWorld world({0, 1});
  ASSERT_FALSE(world.run(kBroadcast));
  std::latch queued(1);
  std::latch gone(1);
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    Buffers buffers;
    buffers.fill(rank == 0 ? 7 : 0);
    if (rank == 1) {
      const auto wait = [](void* until) { static_cast<std::latch*>(until)->wait(); };
      ASSERT_EQ(cudaLaunchHostFunc(stream, wait, &gone), cudaSuccess);
    }
    ASSERT_TRUE(world[rank].run(deviceCall(kBroadcast, buffers.input.data(), buffers.output.data(), stream)).ok());
    if (rank == 0) {
      queued.wait();
      world.destroy(0);
      gone.count_down();
    } else {
      queued.count_down();
      ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
      EXPECT_EQ(buffers.result().front(), 7);
    }
  });
}

TEST(CudaStreams, CapturedCallsAreReplayed) {
  DeviceWorld world({0, 1});
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    Buffers buffers;
    buffers.fill(rank);
    CapturedGraph graph(stream);
    ASSERT_NO_FATAL_FAILURE(graph.capture([&] {
      const Call call = deviceCall(kSum, buffers.input.data(), buffers.output.data(), stream);
      Status first = world[rank].run(call);
      return first.ok() ? world[rank].run(call) : first;
    }));
    for (int replay = 0; replay < 5; ++replay) {
      buffers.fill(rank + replay);
      ASSERT_NO_FATAL_FAILURE(graph.replay());
      EXPECT_EQ(buffers.result(), std::vector<int>(kCount, 1 + 2 * replay));
    }
    // And calls that are not captured go on beside them.
    ASSERT_TRUE(world[rank].run(deviceCall(kSum, buffers.input.data(), buffers.output.data(), stream)).ok());
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(buffers.result(), std::vector<int>(kCount, 9));
  });
}

}  // namespace
}  // namespace atl
