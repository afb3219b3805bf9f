// SPDX-License-Identifier: Apache-2.0
// Every call of NCCL's that moves data, once; what runs underneath is tested elsewhere.
#include "tests/nccl/devices.h"

namespace atl::test {
namespace {

constexpr ncclDataType_t kInt = 2;
constexpr ncclRedOp_t kSum = 0;

class NcclCollectives : public Devices {
 protected:
  static int sum(int block) {
    int result = 0;
    for (int rank = 0; rank < kDevices; ++rank) result += valueOf(rank, block);
    return result;
  }
};

TEST_F(NcclCollectives, AllReduce) {
  inGroup([&](int r) { return ncclAllReduce(send_[r], recv_[r], kCount, kInt, kSum, comms_[r], streams_[r]); });
  for (int rank = 0; rank < kDevices; ++rank) EXPECT_EQ(received(rank), sum(0));
}

TEST_F(NcclCollectives, ReduceAndBroadcastAndBcast) {
  inGroup([&](int r) { return ncclReduce(send_[r], recv_[r], kCount, kInt, kSum, 1, comms_[r], streams_[r]); });
  EXPECT_EQ(received(1), sum(0));
  inGroup([&](int r) { return ncclBroadcast(send_[r], recv_[r], kCount, kInt, 2, comms_[r], streams_[r]); });
  for (int rank = 0; rank < kDevices; ++rank) EXPECT_EQ(received(rank), valueOf(2, 0));
  inGroup([&](int r) { return ncclBcast(recv_[r], 2 * kCount, kInt, 0, comms_[r], streams_[r]); });
  for (int rank = 0; rank < kDevices; ++rank) EXPECT_EQ(received(rank, 1), valueOf(0, 1));
}

TEST_F(NcclCollectives, AllGatherAndReduceScatterAndAlltoAll) {
  inGroup([&](int r) { return ncclAllGather(send_[r], recv_[r], kCount, kInt, comms_[r], streams_[r]); });
  for (int rank = 0; rank < kDevices; ++rank) {
    for (int from = 0; from < kDevices; ++from) EXPECT_EQ(received(rank, from), valueOf(from, 0));
  }
  inGroup([&](int r) { return ncclReduceScatter(send_[r], recv_[r], kCount, kInt, kSum, comms_[r], streams_[r]); });
  for (int rank = 0; rank < kDevices; ++rank) EXPECT_EQ(received(rank), sum(rank));
  inGroup([&](int r) { return ncclAlltoAll(send_[r], recv_[r], kCount, kInt, comms_[r], streams_[r]); });
  for (int rank = 0; rank < kDevices; ++rank) {
    for (int from = 0; from < kDevices; ++from) EXPECT_EQ(received(rank, from), valueOf(from, rank));
  }
}

TEST_F(NcclCollectives, SendAndRecv) {
  ASSERT_EQ(ncclGroupStart(), ncclSuccess);
  for (int r = 0; r < kDevices; ++r) {
    ASSERT_EQ(ncclSend(send_[r], kCount, kInt, (r + 1) % kDevices, comms_[r], streams_[r]), ncclSuccess);
    ASSERT_EQ(ncclRecv(recv_[r], kCount, kInt, (r + 2) % kDevices, comms_[r], streams_[r]), ncclSuccess);
  }
  ASSERT_EQ(ncclGroupEnd(), ncclSuccess);
  for (int rank = 0; rank < kDevices; ++rank) EXPECT_EQ(received(rank), valueOf((rank + 2) % kDevices, 0));
}

TEST_F(NcclCollectives, InPlaceAndZeroCounts) {
  inGroup([&](int r) { return ncclAllReduce(recv_[r], recv_[r], kCount, kInt, kSum, comms_[r], streams_[r]); });
  for (int rank = 0; rank < kDevices; ++rank) EXPECT_EQ(received(rank), sum(0));
  inGroup([&](int r) { return ncclAllReduce(nullptr, nullptr, 0, kInt, kSum, comms_[r], streams_[r]); });
}

TEST_F(NcclCollectives, PreMulSum_TakesItsScalarFromHostOrDevice) {
  ncclRedOp_t ops[kDevices] = {};
  void* scalars[kDevices] = {};
  for (int r = 0; r < kDevices; ++r) {
    int factor = r + 2;
    ASSERT_EQ(cudaSetDevice(r), cudaSuccess);
    ASSERT_EQ(cudaMalloc(&scalars[r], sizeof factor), cudaSuccess);
    if (r == 1) {
      ASSERT_EQ(ncclRedOpCreatePreMulSum(&ops[r], &factor, kInt, atollScalarHostImmediate, comms_[r]), ncclSuccess);
      factor = 1000;  // it has been looked at
    } else {
      ASSERT_EQ(ncclRedOpCreatePreMulSum(&ops[r], scalars[r], kInt, atollScalarDevice, comms_[r]), ncclSuccess);
      // It is looked at when the collective runs.
      ASSERT_EQ(cudaMemcpy(scalars[r], &factor, sizeof factor, cudaMemcpyHostToDevice), cudaSuccess);
    }
  }
  inGroup([&](int r) { return ncclAllReduce(send_[r], recv_[r], kCount, kInt, ops[r], comms_[r], streams_[r]); });
  const int expected = 2 * valueOf(0, 0) + 3 * valueOf(1, 0) + 4 * valueOf(2, 0);
  for (int r = 0; r < kDevices; ++r) {
    EXPECT_EQ(received(r), expected);
    EXPECT_EQ(ncclRedOpDestroy(ops[r], comms_[r]), ncclSuccess);
    cudaFree(scalars[r]);
  }
}

TEST_F(NcclCollectives, HostMemory_IsAnErrorThatNamesIt) {
  std::vector<int> host(kCount);
  EXPECT_EQ(ncclAllReduce(host.data(), recv_[0], kCount, kInt, kSum, comms_[0], streams_[0]), ncclInvalidArgument);
  EXPECT_THAT(ncclGetLastError(comms_[0]), testing::HasSubstr("sendbuff"));
}

}  // namespace
}  // namespace atl::test
