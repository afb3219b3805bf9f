// SPDX-License-Identifier: Apache-2.0
// One thread that works for several devices, as programs of NCCL's do: communicators, a stream and two buffers for
// each.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "tests/cuda/fake_kernels.h"
#include "tests/fakecuda/fakecuda.h"
#include "tests/nccl/functions.h"

namespace atl::test {

class Devices : public testing::Test {
 protected:
  static constexpr int kDevices = 3;
  static constexpr std::size_t kCount = 3000;  ///< of a block; buffers hold one for each rank

  void SetUp() override {
    fakecuda::reset();
    registerKernels();
    ASSERT_EQ(ncclCommInitAll(comms_, kDevices, nullptr), ncclSuccess) << ncclGetLastError(nullptr);
    for (int rank = 0; rank < kDevices; ++rank) {
      ASSERT_EQ(cudaSetDevice(rank), cudaSuccess);
      ASSERT_EQ(cudaStreamCreateWithFlags(&streams_[rank], cudaStreamNonBlocking), cudaSuccess);
      std::vector<int> values;
      for (int block = 0; block < kDevices; ++block) values.insert(values.end(), kCount, valueOf(rank, block));
      for (void** const buffer : {&send_[rank], &recv_[rank]}) {
        ASSERT_EQ(ncclMemAlloc(buffer, values.size() * sizeof(int)), ncclSuccess);
        ASSERT_EQ(cudaMemcpy(*buffer, values.data(), values.size() * sizeof(int), cudaMemcpyHostToDevice), cudaSuccess);
      }
    }
  }
  void TearDown() override {
    for (int rank = 0; rank < kDevices; ++rank) {
      if (comms_[rank] != nullptr) {
        EXPECT_EQ(ncclCommDestroy(comms_[rank]), ncclSuccess);
      }
      EXPECT_EQ(ncclMemFree(send_[rank]), ncclSuccess);
      EXPECT_EQ(ncclMemFree(recv_[rank]), ncclSuccess);
      cudaStreamDestroy(streams_[rank]);
    }
    EXPECT_EQ(fakecuda::liveObjects(), fakecuda::LiveObjects{});
    EXPECT_THAT(fakecuda::takeFailures(), testing::IsEmpty());
  }

  /// What a rank's block of input holds.
  static int valueOf(int rank, int block) { return 100 * rank + block + 1; }

  /// Calls for all ranks in a group.
  void inGroup(const std::function<ncclResult_t(int rank)>& call) {
    ASSERT_EQ(ncclGroupStart(), ncclSuccess);
    for (int rank = 0; rank < kDevices; ++rank) ASSERT_EQ(call(rank), ncclSuccess) << ncclGetLastError(nullptr);
    ASSERT_EQ(ncclGroupEnd(), ncclSuccess) << ncclGetLastError(nullptr);
  }

  /// What is in a block of a rank's output: the one value, or −1 where there are several.
  int received(int rank, int block = 0) {
    EXPECT_EQ(cudaStreamSynchronize(streams_[rank]), cudaSuccess);
    std::vector<int> got(kCount);
    EXPECT_EQ(cudaMemcpy(got.data(), static_cast<int*>(recv_[rank]) + static_cast<std::size_t>(block) * kCount,
                         kCount * sizeof(int), cudaMemcpyDeviceToHost),
              cudaSuccess);
    for (const int value : got) {
      if (value != got[0]) return -1;
    }
    return got[0];
  }

  ncclComm_t comms_[kDevices] = {};
  cudaStream_t streams_[kDevices] = {};
  void* send_[kDevices] = {};
  void* recv_[kDevices] = {};
};

}  // namespace atl::test
