// SPDX-License-Identifier: Apache-2.0
// What goes wrong with devices, and what is said of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/cuda/fake_kernels.h"
#include "tests/cuda/world.h"
#include "tests/fakecuda/fakecuda.h"
#include "tests/support/rank_threads.h"

namespace atl {
namespace {

using test::CollectiveCase;
using test::DeviceBuffer;
using test::deviceCall;
using test::DeviceWorld;
using test::kSum;
using testing::HasSubstr;

fakecuda::Configuration machine(int devices, int driverVersion) {
  fakecuda::Configuration configuration;
  configuration.devices = devices;
  configuration.driverVersion = driverVersion;
  return configuration;
}

Result<std::unique_ptr<Communicator>> communicatorOf(int device) {
  Settings settings = test::testSettings();
  settings.device = device;
  return Communicator::create(Session::local(1, settings), 0, settings);
}

TEST(CudaErrors, MachineWithoutDriver_IsNamed) {
  fakecuda::reset(machine(4, 0));
  const auto made = communicatorOf(0);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::unsupported);
  EXPECT_THAT(made.error().text, HasSubstr("no CUDA driver"));
  fakecuda::reset();
}

TEST(CudaErrors, DriverTooOld_IsNamed) {
  fakecuda::reset(machine(4, 11000));
  const auto made = communicatorOf(0);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::deviceError);
  EXPECT_THAT(made.error().text, HasSubstr("driver"));
  fakecuda::reset();
}

TEST(CudaErrors, DeviceThatThereIsNot_IsNamed) {
  fakecuda::reset(machine(2, 13000));
  const auto made = communicatorOf(2);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::invalidArgument);
  EXPECT_THAT(made.error().text, HasSubstr("device 2 is not one of the 2"));
  fakecuda::reset();
}

TEST(CudaErrors, MemoryThatRunsOut_LeavesNothingBehind) {
  fakecuda::reset();
  test::registerKernels();
  fakecuda::failCall("cudaMalloc", 1, cudaErrorMemoryAllocation);
  const auto made = communicatorOf(0);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().text, HasSubstr("cudaMalloc: "));
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  EXPECT_EQ(fakecuda::liveObjects(), fakecuda::LiveObjects{});
}

TEST(CudaErrors, HostMemory_IsNamedWithItsArgument) {
  DeviceWorld world({0});
  std::vector<int> host(3000);
  DeviceBuffer buffer(host.size() * sizeof(int));
  const Status status = world[0].run(deviceCall(kSum, host.data(), buffer.data(), nullptr));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::invalidArgument);
  EXPECT_THAT(status.error().text, HasSubstr("argument sendbuff"));
  EXPECT_THAT(status.error().text, HasSubstr("memory of the host's"));
}

TEST(CudaErrors, MemoryOfAnotherDevice_IsNamedWithBoth) {
  DeviceWorld world({1});
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  DeviceBuffer buffer(3000 * sizeof(int));
  const Status status = world[0].run(deviceCall(kSum, buffer.data(), buffer.data(), nullptr));
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().text, HasSubstr("memory of CUDA device 0; the communicator works on device 1"));
}

TEST(CudaErrors, PeerAccessThatCorrupts_IsFoundBeforeItIsUsed) {
  fakecuda::Configuration corrupting;
  corrupting.corrupt = "0-1";
  DeviceWorld world({0, 1}, corrupting);
  std::vector<Status> outcome(2, success());
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    DeviceBuffer buffer(3000 * sizeof(int));
    const Status status = world[rank].run(deviceCall(kSum, buffer.data(), buffer.data(), stream));
    cudaStreamSynchronize(stream);
    outcome[static_cast<std::size_t>(rank)] = status.ok() ? world[rank].failure() : status;
  });
  for (const Status& status : outcome) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::deviceError);
    EXPECT_THAT(status.error().text, HasSubstr("trying peer access between device"));
    EXPECT_THAT(status.error().text, HasSubstr("an IOMMU or PCIe ACS stands between the devices"));
  }
  // No walk was launched: only the patterns.
  EXPECT_EQ(fakecuda::callCount("cudaLaunchKernel"), 2);
}

TEST(CudaErrors, RanksOnOneDevice_NeedNoPeerAccess) {
  fakecuda::Configuration corrupting;
  corrupting.corrupt = "all";
  DeviceWorld world({1, 1}, corrupting);
  EXPECT_FALSE(world.run(kSum));
}

TEST(CudaErrors, RankThatDoesNotCome_EndsTheOthersByTheirLimit) {
  DeviceWorld world({0, 1}, 0.3);
  ASSERT_FALSE(world.run(kSum));
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    if (rank != 0) return;
    DeviceBuffer buffer(3000 * sizeof(int));
    ASSERT_TRUE(world[0]
                    .run(deviceCall({Collective::allReduce, 3000, DataType::int32, ReduceOp::sum, kNoRank, false},
                                    buffer.data(), buffer.data(), stream))
                    .ok());
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    const Status status = world[0].failure();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::timeout);
    EXPECT_THAT(status.error().text, HasSubstr("rank 1"));
    // And it takes no more calls.
    EXPECT_FALSE(world[0].run(deviceCall(kSum, buffer.data(), buffer.data(), stream)).ok());
  });
}

TEST(CudaErrors, Abort_EndsACallThatWaitsOnTheDevice) {
  DeviceWorld world({0, 1}, 0);
  ASSERT_FALSE(world.run(kSum));
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    if (rank != 0) return;
    DeviceBuffer buffer(3000 * sizeof(int));
    ASSERT_TRUE(world[0]
                    .run(deviceCall({Collective::allReduce, 3000, DataType::int32, ReduceOp::sum, kNoRank, false},
                                    buffer.data(), buffer.data(), stream))
                    .ok());
    world[1].abort();  // the notice reaches rank 0, whose kernel waits for a rank that will not come
    ASSERT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    EXPECT_EQ(world[0].failure().error().code, ErrorCode::aborted);
  });
}

TEST(CudaErrors, RanksInDifferentCalls_AreTold) {
  DeviceWorld world({0, 1}, 5);
  ASSERT_FALSE(world.run(kSum));
  std::vector<Status> outcome(2, success());
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    DeviceBuffer buffer(6000 * sizeof(int));
    CollectiveCase c = kSum;
    if (rank == 1) c.op = ReduceOp::max;
    const Status status = world[rank].run(deviceCall(c, buffer.data(), buffer.data(), stream));
    cudaStreamSynchronize(stream);
    outcome[static_cast<std::size_t>(rank)] = status.ok() ? world[rank].failure() : status;
  });
  EXPECT_FALSE(outcome[0].ok());
  EXPECT_FALSE(outcome[1].ok());
  EXPECT_TRUE(outcome[0].error().code == ErrorCode::mismatch || outcome[1].error().code == ErrorCode::mismatch);
}

TEST(CudaErrors, LostDevice_EndsTheCallWithItsReason) {
  DeviceWorld world({0, 1}, 2);
  ASSERT_FALSE(world.run(kSum));
  world.onRanks([&](Rank rank, cudaStream_t stream) {
    if (rank != 1) return;
    DeviceBuffer buffer(3000 * sizeof(int));
    fakecuda::loseDevice(1);
    world.lose();
    const Status status = world[1].run(deviceCall(kSum, buffer.data(), buffer.data(), stream));
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::deviceError);
  });
}

}  // namespace
}  // namespace atl
