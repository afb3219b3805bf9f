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

class NcclCommunicators : public Devices {};

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
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  for (const int r : {0, 2}) {
    ASSERT_EQ(ncclAllReduce(send_[r], recv_[r], kCount, kInt, kSum, parts[r], streams_[r]), ncclSuccess);
  }
  ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
  EXPECT_EQ(received(0), valueOf(0, 0) + valueOf(2, 0));
  EXPECT_EQ(received(2), valueOf(0, 0) + valueOf(2, 0));
  for (const int r : {0, 2}) EXPECT_EQ(ncclCommDestroy(parts[r]), ncclSuccess);
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
  EXPECT_EQ(ncclCommShrink(comms_[0], nullptr, 0, nullptr, nullptr, 0), ncclInvalidUsage);
  EXPECT_THAT(ncclGetLastError(nullptr), HasSubstr("ncclCommShrink is not there"));
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
