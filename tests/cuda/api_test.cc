// SPDX-License-Identifier: Apache-2.0
// Communicators of devices as a user of the C API has them.
#include <thread>
#include <vector>

#include "tests/cuda/api_devices.h"

namespace atl {
namespace {

using test::asAtolls;

class CudaApi : public test::ApiDevices {};

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
