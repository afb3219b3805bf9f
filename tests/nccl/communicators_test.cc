// SPDX-License-Identifier: Apache-2.0
// Making, splitting, asking and ending NCCL's communicators.
#include <thread>
#include <utility>

#include "tests/nccl/devices.h"

namespace atl::test {
namespace {

using testing::HasSubstr;

constexpr ncclDataType_t kInt = 2;
constexpr ncclRedOp_t kSum = 0;

class NcclCommunicators : public Devices {
 protected:
  /// The ranks sum among themselves by these communicators, which go then.
  void expectSumOf(ncclComm_t (&parts)[kDevices], const std::vector<int>& ranks) {
    int wanted = 0;
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    for (const int r : ranks) {
      wanted += valueOf(r, 0);
      ASSERT_EQ(ncclAllReduce(send_[r], recv_[r], kCount, kInt, kSum, parts[r], streams_[r]), ncclSuccess);
    }
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
    for (const int r : ranks) EXPECT_EQ(received(r), wanted);
    for (const int r : ranks) EXPECT_EQ(ncclCommDestroy(parts[r]), ncclSuccess);
  }
};

ncclConfig_t configuration() {
  ncclConfig_t config{};
  config.size = sizeof config;
  config.magic = kNcclConfigMagic;
  config.version = kNcclVersion;
  config.blocking = kNcclUndefined;
  config.commName = nullptr;
  return config;
}

TEST_F(NcclCommunicators, TellTheirSizeRankAndDevice) {
  for (int rank = 0; rank < kDevices; ++rank) {
    int count = 0;
    int mine = -1;
    int device = -1;
    EXPECT_EQ(ncclCommCount(comms_[rank], &count), ncclSuccess);
    EXPECT_EQ(ncclCommUserRank(comms_[rank], &mine), ncclSuccess);
    EXPECT_EQ(ncclCommCuDevice(comms_[rank], &device), ncclSuccess);
    EXPECT_EQ(count, kDevices);
    EXPECT_EQ(mine, rank);
    EXPECT_EQ(device, rank);
  }
}

TEST_F(NcclCommunicators, RanksThatAreThreads_JoinOnTheDeviceOfEach) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < kDevices; ++rank) {
    threads.emplace_back([&, rank] {
      ASSERT_EQ(cudaSetDevice(kDevices - 1 - rank), cudaSuccess);
      ncclComm_t comm = nullptr;
      ncclConfig_t config = configuration();
      ASSERT_EQ(ncclCommInitRankConfig(&comm, kDevices, id, rank, &config), ncclSuccess) << ncclGetLastError(nullptr);
      int device = -1;
      EXPECT_EQ(ncclCommCuDevice(comm, &device), ncclSuccess);
      EXPECT_EQ(device, kDevices - 1 - rank);
      EXPECT_EQ(ncclCommFinalize(comm), ncclSuccess);
      EXPECT_EQ(ncclCommDestroy(comm), ncclSuccess);
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(NcclCommunicators, NonBlockingOnes_SayWhenTheyAreReady) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  ncclConfig_t config = configuration();
  config.blocking = 0;
  ncclComm_t comm = nullptr;
  ASSERT_EQ(cudaSetDevice(0), cudaSuccess);
  ASSERT_EQ(ncclCommInitRankConfig(&comm, 1, id, 0, &config), ncclInProgress);
  ncclResult_t state = ncclInProgress;
  while (state == ncclInProgress) ASSERT_EQ(ncclCommGetAsyncError(comm, &state), ncclSuccess);
  EXPECT_EQ(state, ncclSuccess);
  EXPECT_EQ(ncclCommDestroy(comm), ncclSuccess);
}

TEST_F(NcclCommunicators, Split_KeepsTheDevices) {
  ncclComm_t parts[kDevices] = {};
  inGroup([&](int r) { return ncclCommSplit(comms_[r], r == 1 ? -1 : 0, -r, &parts[r], nullptr); });
  EXPECT_EQ(parts[1], nullptr);
  int device = -1;
  int rank = -1;
  ASSERT_EQ(ncclCommCuDevice(parts[2], &device), ncclSuccess);
  ASSERT_EQ(ncclCommUserRank(parts[2], &rank), ncclSuccess);
  EXPECT_EQ(device, 2);
  EXPECT_EQ(rank, 0);
  expectSumOf(parts, {0, 2});
}

TEST_F(NcclCommunicators, Shrink_LeavesRanksOut) {
  int excluded[] = {1};
  ncclComm_t parts[kDevices] = {};
  ncclConfig_t config = configuration();
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  for (const int r : {0, 2}) {
    ASSERT_EQ(ncclCommShrink(comms_[r], excluded, 1, &parts[r], &config, kNcclShrinkDefault), ncclSuccess);
  }
  ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
  expectSumOf(parts, {0, 2});
  inGroup([&](int r) { return ncclAllReduce(send_[r], recv_[r], kCount, kInt, kSum, comms_[r], streams_[r]); });
  EXPECT_EQ(received(1), valueOf(0, 0) + valueOf(1, 0) + valueOf(2, 0));
  EXPECT_EQ(ncclCommShrink(comms_[1], excluded, 1, &parts[1], nullptr, kNcclShrinkDefault), ncclInvalidArgument);
}

/// Rank 2's device is never called, so the others' kernels wait on theirs.
TEST_F(NcclCommunicators, ShrinkWithAbort_EndsWhatHangsOnTheDevices) {
  inGroup([&](int r) { return ncclAllReduce(send_[r], recv_[r], kCount, kInt, kSum, comms_[r], streams_[r]); });
  int excluded[] = {2};
  ncclComm_t parts[kDevices] = {};
  for (const int r : {0, 1}) {
    ASSERT_EQ(ncclAllReduce(send_[r], recv_[r], kCount, kInt, kSum, comms_[r], streams_[r]), ncclSuccess);
  }
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  for (const int r : {0, 1}) {
    ASSERT_EQ(ncclCommShrink(comms_[r], excluded, 1, &parts[r], nullptr, kNcclShrinkAbort), ncclSuccess);
  }
  ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
  expectSumOf(parts, {0, 1});
  ncclResult_t state = ncclSuccess;
  ASSERT_EQ(ncclCommGetAsyncError(comms_[0], &state), ncclSuccess);
  EXPECT_EQ(state, ncclRemoteError);
}

TEST_F(NcclCommunicators, GroupSimulateEnd_TellsMicrosecondsAndRunsNothing) {
  const int launches = fakecuda::callCount("cudaLaunchKernel");
  const auto simulated = [&](std::size_t count) {
    ncclSimInfo_t info{sizeof(ncclSimInfo_t), kNcclSimInfoMagic, kNcclVersion, -1};
    EXPECT_EQ(ncclGroupStart(), ncclSuccess);
    for (int r = 0; r < kDevices; ++r) {
      EXPECT_EQ(ncclAllReduce(send_[r], recv_[r], count, kInt, kSum, comms_[r], streams_[r]), ncclSuccess);
    }
    EXPECT_EQ(ncclGroupSimulateEnd(&info), ncclSuccess) << ncclGetLastError(nullptr);
    return info.estimatedTime;
  };
  const float little = simulated(1);
  EXPECT_GT(little, 0.1F);
  EXPECT_LT(little, 1000.F);
  EXPECT_GT(simulated(kDevices * kCount), little);
  EXPECT_EQ(fakecuda::callCount("cudaLaunchKernel"), launches);
  ncclSimInfo_t wrong{sizeof(ncclSimInfo_t), 0, kNcclVersion, -1};
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  EXPECT_EQ(ncclGroupSimulateEnd(&wrong), ncclInvalidArgument);
  EXPECT_THAT(ncclGetLastError(nullptr), HasSubstr("NCCL_SIM_INFO_INITIALIZER"));
  EXPECT_EQ(ncclGroupSimulateEnd(&wrong), ncclInvalidUsage);  // it is closed
}

TEST_F(NcclCommunicators, Abort_ReachesTheOthers) {
  EXPECT_EQ(ncclCommAbort(std::exchange(comms_[2], nullptr)), ncclSuccess);
  ncclResult_t state = ncclSuccess;
  while (state == ncclSuccess) ASSERT_EQ(ncclCommGetAsyncError(comms_[0], &state), ncclSuccess);
  EXPECT_EQ(state, ncclRemoteError);
  EXPECT_THAT(ncclGetLastError(comms_[0]), HasSubstr("rank 2"));
}

TEST_F(NcclCommunicators, Windows_AreRegistrations) {
  ncclWindow_t window = nullptr;
  EXPECT_EQ(ncclCommWindowRegister(comms_[0], send_[0], kCount, &window, 1), ncclSuccess);
  EXPECT_NE(window, nullptr);
  EXPECT_EQ(ncclCommWindowDeregister(comms_[0], window), ncclSuccess);
}

TEST_F(NcclCommunicators, WhatIsAbsent_SaysSo) {
  EXPECT_EQ(ncclCommSuspend(comms_[0], 0), ncclInvalidUsage);
  EXPECT_THAT(ncclGetLastError(nullptr), HasSubstr("ncclCommSuspend is not there"));
}

TEST_F(NcclCommunicators, ConfigurationWithoutItsMagic_IsRefused) {
  ncclUniqueId id;
  ASSERT_EQ(ncclGetUniqueId(&id), ncclSuccess);
  ncclConfig_t config = configuration();
  config.magic = 0;
  ncclComm_t comm = nullptr;
  EXPECT_EQ(ncclCommInitRankConfig(&comm, 1, id, 0, &config), ncclInvalidArgument);
  EXPECT_THAT(ncclGetLastError(nullptr), HasSubstr("NCCL_CONFIG_INITIALIZER"));
}

TEST(NcclWithoutDriver, EveryCallSaysWhatIsMissing) {
  fakecuda::Configuration machine;
  machine.driverVersion = 0;
  fakecuda::reset(machine);
  int version = 0;
  EXPECT_EQ(ncclGetVersion(&version), ncclSuccess);
  EXPECT_GT(version, 22000);
  ncclComm_t comm = nullptr;
  EXPECT_NE(ncclCommInitAll(&comm, 1, nullptr), ncclSuccess);
  EXPECT_THAT(ncclGetLastError(nullptr), HasSubstr("driver"));
  void* memory = nullptr;
  EXPECT_EQ(ncclMemAlloc(&memory, 100), ncclUnhandledCudaError);
  fakecuda::reset();
}

}  // namespace
}  // namespace atl::test
