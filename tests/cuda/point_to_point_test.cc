// SPDX-License-Identifier: Apache-2.0
// Sends and receives between devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "tests/cuda/world.h"

namespace atl {
namespace {

using test::DeviceBuffer;
using test::DeviceWorld;

PointToPoint operation(bool isSend, void* buffer, std::size_t count, Rank peer, cudaStream_t stream) {
  return {isSend, buffer, count, DataType::int32, peer, true, stream};
}

std::vector<int> numbersFrom(int first, std::size_t count) {
  std::vector<int> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

TEST(CudaPointToPoint, EveryRankWithEveryOther_IncludingItself) {
  DeviceWorld world({0, 1, 1});
  constexpr std::size_t kCounts[] = {0, 1, 100, 100'000};
  for (const std::size_t count : kCounts) {
    world.onRanks([&](Rank rank, cudaStream_t stream) {
      const auto ranks = static_cast<std::size_t>(world.ranks());
      DeviceBuffer send(ranks * count * sizeof(int));
      DeviceBuffer recv(ranks * count * sizeof(int));
      send.put(numbersFrom(rank * 1'000'000, ranks * count).data());
      std::vector<PointToPoint> operations;
      for (Rank peer = 0; peer < world.ranks(); ++peer) {
        const std::size_t at = static_cast<std::size_t>(peer) * count * sizeof(int);
        operations.push_back(operation(true, send.data() + at, count, peer, stream));
        operations.push_back(operation(false, recv.data() + at, count, peer, stream));
      }
      // Twice: the second finds its program and its links.
      for (int i = 0; i < 2; ++i) {
        const auto status = world[rank].run(operations);
        ASSERT_TRUE(status.ok()) << status.error().text;
      }
      ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
      std::vector<int> got(ranks * count);
      recv.get(got.data());
      for (Rank peer = 0; peer < world.ranks(); ++peer) {
        const auto at = static_cast<std::size_t>(peer) * count;
        const auto want =
            numbersFrom(peer * 1'000'000 + static_cast<int>(static_cast<std::size_t>(rank) * count), count);
        EXPECT_TRUE(std::equal(want.begin(), want.end(), got.begin() + static_cast<std::ptrdiff_t>(at)))
            << "from " << peer << " to " << rank << ", count " << count;
      }
    });
  }
}

TEST(CudaPointToPoint, StreamsOfAGroup_WaitForEachOther) {
  DeviceWorld world({0, 1});
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    cudaStream_t other = nullptr;
    ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
    constexpr std::size_t kCount = 5000;
    DeviceBuffer send(kCount * sizeof(int));
    DeviceBuffer recv(kCount * sizeof(int));
    const auto mine = numbersFrom(rank, kCount);
    std::vector<int> got(kCount);
    // What is sent comes by one stream, what arrives leaves by the other; nothing else orders them.
    ASSERT_EQ(cudaMemcpyAsync(send.data(), mine.data(), kCount * sizeof(int), cudaMemcpyHostToDevice, other),
              cudaSuccess);
    const std::vector<PointToPoint> operations = {operation(false, recv.data(), kCount, 1 - rank, stream),
                                                  operation(true, send.data(), kCount, 1 - rank, other)};
    ASSERT_TRUE(world[rank].run(operations).ok());
    ASSERT_EQ(cudaMemcpyAsync(got.data(), recv.data(), kCount * sizeof(int), cudaMemcpyDeviceToHost, stream),
              cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(got, numbersFrom(1 - rank, kCount));
    ASSERT_EQ(cudaStreamSynchronize(other), cudaSuccess);
    cudaStreamDestroy(other);
  });
}

TEST(CudaPointToPoint, MessageLargerThanWanted_IsAMismatch) {
  DeviceWorld world({0, 1}, 1);
  std::vector<Status> outcome(2, success());
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    DeviceBuffer buffer(6000 * sizeof(int));
    const std::vector<PointToPoint> operations = {
        operation(rank == 0, buffer.data(), rank == 0 ? 6000U : 3000U, 1 - rank, stream)};
    const Status status = world[rank].run(operations);
    cudaStreamSynchronize(stream);
    outcome[static_cast<std::size_t>(rank)] = status.ok() ? world[rank].failure() : status;
  });
  ASSERT_FALSE(outcome[1].ok());
  EXPECT_EQ(outcome[1].error().code, ErrorCode::mismatch);
  EXPECT_THAT(outcome[1].error().text, testing::HasSubstr("rank 0"));
}

}  // namespace
}  // namespace atl
