// SPDX-License-Identifier: Apache-2.0
// Communicators of devices as a user of the C API has them.
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "atoll/atoll.h"
#include "tests/cuda/fake_kernels.h"
#include "tests/fakecuda/fakecuda.h"

namespace atl {
namespace {

constexpr int kRanks = 3;
constexpr std::size_t kCount = 4000;

/// Communicators of kRanks devices, made by one thread in a group.
class CudaApi : public testing::Test {
 protected:
  void SetUp() override {
    fakecuda::reset();
    test::registerKernels();
    atollUniqueId id;
    ASSERT_EQ(atollGetUniqueId(&id), atollSuccess);
    ASSERT_EQ(atollGroupStart(), atollSuccess);
    for (int rank = 0; rank < kRanks; ++rank) {
      atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
      config.device = rank;
      config.timeout = 20;
      ASSERT_EQ(atollCommInitRankConfig(&comms_[rank], kRanks, id, rank, &config), atollSuccess);
    }
    ASSERT_EQ(atollGroupEnd(), atollSuccess) << atollGetLastError(nullptr);
    for (int rank = 0; rank < kRanks; ++rank) {
      ASSERT_EQ(cudaSetDevice(rank), cudaSuccess);
      ASSERT_EQ(cudaStreamCreateWithFlags(&streams_[rank], cudaStreamNonBlocking), cudaSuccess);
      for (void** const buffer : {&send_[rank], &recv_[rank]}) {
        ASSERT_EQ(cudaMalloc(buffer, kCount * sizeof(int)), cudaSuccess);
      }
      const std::vector<int> values(kCount, rank + 1);
      ASSERT_EQ(cudaMemcpy(send_[rank], values.data(), kCount * sizeof(int), cudaMemcpyHostToDevice), cudaSuccess);
    }
  }
  void TearDown() override {
    for (int rank = 0; rank < kRanks; ++rank) {
      if (comms_[rank] != nullptr) {
        EXPECT_EQ(atollCommDestroy(comms_[rank]), atollSuccess);
      }
      cudaFree(send_[rank]);
      cudaFree(recv_[rank]);
      cudaStreamDestroy(streams_[rank]);
    }
    EXPECT_EQ(fakecuda::liveObjects(), fakecuda::LiveObjects{});
    EXPECT_THAT(fakecuda::takeFailures(), testing::IsEmpty());
  }
  [[nodiscard]] std::vector<int> received(int rank) const {
    EXPECT_EQ(cudaStreamSynchronize(streams_[rank]), cudaSuccess);
    std::vector<int> got(kCount);
    EXPECT_EQ(cudaMemcpy(got.data(), recv_[rank], kCount * sizeof(int), cudaMemcpyDeviceToHost), cudaSuccess);
    return got;
  }

  atollComm_t comms_[kRanks] = {};
  cudaStream_t streams_[kRanks] = {};
  void* send_[kRanks] = {};
  void* recv_[kRanks] = {};
};

atollStream_t asAtolls(cudaStream_t stream) {
  return reinterpret_cast<atollStream_t>(stream);
}

TEST_F(CudaApi, Device_IsTheConfigurations) {
  for (int rank = 0; rank < kRanks; ++rank) {
    int device = -2;
    ASSERT_EQ(atollCommDevice(comms_[rank], &device), atollSuccess);
    EXPECT_EQ(device, rank);
  }
}

TEST_F(CudaApi, OneThreadCallsForAllRanksInAGroup) {
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < kRanks; ++rank) {
    ASSERT_EQ(
        atollAllReduce(send_[rank], recv_[rank], kCount, atollInt, atollSum, comms_[rank], asAtolls(streams_[rank])),
        atollSuccess);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << atollGetLastError(nullptr);
  for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(received(rank), std::vector<int>(kCount, 6));
}

TEST_F(CudaApi, SendsAndReceivesOfAGroupMeet) {
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < kRanks; ++rank) {
    const atollStream_t stream = asAtolls(streams_[rank]);
    ASSERT_EQ(atollSend(send_[rank], kCount, atollInt, (rank + 1) % kRanks, comms_[rank], stream), atollSuccess);
    ASSERT_EQ(atollRecv(recv_[rank], kCount, atollInt, (rank + kRanks - 1) % kRanks, comms_[rank], stream),
              atollSuccess);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << atollGetLastError(nullptr);
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(received(rank), std::vector<int>(kCount, (rank + kRanks - 1) % kRanks + 1));
  }
}

TEST_F(CudaApi, CallReturnsBeforeTheOthersCome_OnceItsLinksAreThere) {
  const auto call = [&](int rank) {
    return atollAllReduce(send_[rank], recv_[rank], kCount, atollInt, atollSum, comms_[rank], asAtolls(streams_[rank]));
  };
  std::vector<std::thread> threads;
  for (int rank = 0; rank < kRanks; ++rank) threads.emplace_back([&, rank] { EXPECT_EQ(call(rank), atollSuccess); });
  for (auto& thread : threads) thread.join();
  // One after another in one thread, without a group: none waits for the next.
  for (int rank = 0; rank < kRanks; ++rank) ASSERT_EQ(call(rank), atollSuccess) << atollGetLastError(nullptr);
  for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(received(rank), std::vector<int>(kCount, 6));
}

TEST_F(CudaApi, HostBuffer_IsRefusedAndNamed) {
  std::vector<int> host(kCount);
  EXPECT_EQ(atollAllReduce(host.data(), recv_[0], kCount, atollInt, atollSum, comms_[0], asAtolls(streams_[0])),
            atollInvalidArgument);
  EXPECT_THAT(atollGetLastError(nullptr), testing::HasSubstr("sendbuff"));
  // The communicator is as good as before.
  atollResult_t state = atollSystemError;
  EXPECT_EQ(atollCommGetAsyncError(comms_[0], &state), atollSuccess);
  EXPECT_EQ(state, atollSuccess);
}

TEST_F(CudaApi, FailureOnTheDevice_IsAnAsynchronousError) {
  ASSERT_EQ(atollCommAbort(comms_[2]), atollSuccess);
  comms_[2] = nullptr;
  atollResult_t result = atollSuccess;
  while (result == atollSuccess) {  // until the notice is here
    ASSERT_EQ(atollCommGetAsyncError(comms_[0], &result), atollSuccess);
  }
  EXPECT_EQ(result, atollAborted);
}

}  // namespace
}  // namespace atl
