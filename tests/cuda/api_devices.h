// SPDX-License-Identifier: Apache-2.0
// Ranks on devices of their own in one thread, by the C API: a communicator, a stream and two buffers for each.
#pragma once

#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "atoll/atoll.h"
#include "tests/cuda/fake_kernels.h"
#include "tests/fakecuda/fakecuda.h"

namespace atl::test {

/// Communicators of kRanks devices, made by one thread in a group.
class ApiDevices : public testing::Test {
 protected:
  static constexpr int kRanks = 3;
  static constexpr std::size_t kCount = 4000;

  void SetUp() override {
    fakecuda::reset();
    registerKernels();
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

inline atollStream_t asAtolls(cudaStream_t stream) {
  return reinterpret_cast<atollStream_t>(stream);
}

}  // namespace atl::test
