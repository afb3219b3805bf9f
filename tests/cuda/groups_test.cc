// SPDX-License-Identifier: Apache-2.0
// The calls of a group reach a device in as few launches as can be, in their order, and communicators in an order that
// is the same on every rank.
#include <cstdint>
#include <thread>
#include <vector>

#include "tests/cuda/api_devices.h"

namespace atl {
namespace {

using test::asAtolls;

class CudaGroups : public test::ApiDevices {
 protected:
  /// All pairs of devices have tried their peer access, which takes launches of its own.
  void SetUp() override {
    ApiDevices::SetUp();
    launchesOf([&](int rank) {
      EXPECT_EQ(atollAllToAll(send_[rank], recv_[rank], 1, atollInt, comms_[rank], asAtolls(streams_[rank])),
                atollSuccess);
    });
  }
  /// Every rank's calls in a group, by one thread. How many kernels that launched.
  template <class Calls>
  int launchesOf(const Calls& calls) {
    const int before = fakecuda::callCount("cudaLaunchKernel");
    EXPECT_EQ(atollGroupStart(), atollSuccess);
    for (int rank = 0; rank < kRanks; ++rank) calls(rank);
    EXPECT_EQ(atollGroupEnd(), atollSuccess) << atollGetLastError(nullptr);
    return fakecuda::callCount("cudaLaunchKernel") - before;
  }
  void sum(int rank, const void* from, void* to, atollRedOp_t op = atollSum) {
    EXPECT_EQ(atollAllReduce(from, to, kCount, atollInt, op, comms_[rank], asAtolls(streams_[rank])), atollSuccess);
  }
};

TEST_F(CudaGroups, CallsThatReadWhatOthersWrote_AreOneLaunch) {
  const int launches = launchesOf([&](int rank) {
    sum(rank, send_[rank], recv_[rank]);  // 1 + 2 + 3
    EXPECT_EQ(atollBroadcast(recv_[rank], send_[rank], kCount, atollInt, 1, comms_[rank], asAtolls(streams_[rank])),
              atollSuccess);
    sum(rank, send_[rank], recv_[rank], atollMax);
    sum(rank, recv_[rank], send_[rank]);
    EXPECT_EQ(atollBroadcast(send_[rank], recv_[rank], kCount, atollInt, 2, comms_[rank], asAtolls(streams_[rank])),
              atollSuccess);
  });
  EXPECT_EQ(launches, kRanks);
  for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(received(rank), std::vector<int>(kCount, 6 * kRanks));
}

TEST_F(CudaGroups, SendsAndCollectives_AreOneLaunch) {
  const int launches = launchesOf([&](int rank) {
    const atollStream_t stream = asAtolls(streams_[rank]);
    EXPECT_EQ(atollSend(send_[rank], kCount, atollInt, (rank + 1) % kRanks, comms_[rank], stream), atollSuccess);
    EXPECT_EQ(atollRecv(recv_[rank], kCount, atollInt, (rank + kRanks - 1) % kRanks, comms_[rank], stream),
              atollSuccess);
    sum(rank, recv_[rank], send_[rank]);
    EXPECT_EQ(atollBroadcast(send_[rank], recv_[rank], kCount, atollInt, 1, comms_[rank], stream), atollSuccess);
  });
  EXPECT_EQ(launches, kRanks);
  for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(received(rank), std::vector<int>(kCount, 6));
}

TEST_F(CudaGroups, CallsInPlace_AreOneLaunchUnlessOneReadsWhatAnotherWrites) {
  const auto apart = [&](int rank) {
    auto* const numbers = static_cast<int*>(send_[rank]);
    for (const std::size_t at : {std::size_t{0}, kCount / 2}) {
      EXPECT_EQ(atollAllReduce(numbers + at, numbers + at, kCount / 2, atollInt, atollSum, comms_[rank],
                               asAtolls(streams_[rank])),
                atollSuccess);
    }
    sum(rank, send_[rank], recv_[rank]);
  };
  EXPECT_EQ(launchesOf(apart), kRanks);
  for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(received(rank), std::vector<int>(kCount, 6 * kRanks));
  const auto chained = [&](int rank) {
    sum(rank, recv_[rank], recv_[rank]);
    sum(rank, recv_[rank], recv_[rank]);
  };
  EXPECT_GE(launchesOf(chained), kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(received(rank), std::vector<int>(kCount, 6 * kRanks * kRanks * kRanks));
  }
}

TEST_F(CudaGroups, MoreCallsThanALaunchRuns_AreSeveral) {
  // Ten, eight of which fit.
  const int launches = launchesOf([&](int rank) {
    for (int i = 0; i < 10; ++i) sum(rank, send_[rank], recv_[rank]);
  });
  EXPECT_EQ(launches, 2 * kRanks);
  for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(received(rank), std::vector<int>(kCount, 6));
}

TEST_F(CudaGroups, SumsOfOtherTypes_AreLaunchesOfTheirOwn) {
  const int launches = launchesOf([&](int rank) {
    sum(rank, send_[rank], recv_[rank]);
    EXPECT_EQ(
        atollAllReduce(recv_[rank], recv_[rank], kCount, atollUint32, atollSum, comms_[rank], asAtolls(streams_[rank])),
        atollSuccess);
  });
  EXPECT_EQ(launches, 2 * kRanks);
  for (int rank = 0; rank < kRanks; ++rank) EXPECT_EQ(received(rank), std::vector<int>(kCount, 6 * kRanks));
}

TEST_F(CudaGroups, OtherStreams_AreLaunchesOfTheirOwn) {
  cudaStream_t others[kRanks] = {};
  for (int rank = 0; rank < kRanks; ++rank) {
    ASSERT_EQ(cudaSetDevice(rank), cudaSuccess);
    ASSERT_EQ(cudaStreamCreateWithFlags(&others[rank], cudaStreamNonBlocking), cudaSuccess);
  }
  const int launches = launchesOf([&](int rank) {
    EXPECT_EQ(
        atollAllReduce(send_[rank], recv_[rank], kCount, atollInt, atollSum, comms_[rank], asAtolls(others[rank])),
        atollSuccess);
    sum(rank, recv_[rank], recv_[rank]);
  });
  EXPECT_EQ(launches, 2 * kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(received(rank), std::vector<int>(kCount, 6 * kRanks));
    cudaStreamDestroy(others[rank]);
  }
}

TEST_F(CudaGroups, InputThatIsScaled_IsWhatTheCallBeforeWrote) {
  atollRedOp_t twice[kRanks] = {};
  for (int rank = 0; rank < kRanks; ++rank) {
    int factor = 2;
    ASSERT_EQ(atollRedOpCreatePreMulSum(&twice[rank], &factor, atollInt, atollScalarHostImmediate, comms_[rank]),
              atollSuccess);
  }
  launchesOf([&](int rank) {
    sum(rank, send_[rank], recv_[rank]);
    sum(rank, recv_[rank], recv_[rank], twice[rank]);
    sum(rank, recv_[rank], recv_[rank], atollMax);
  });
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(received(rank), std::vector<int>(kCount, 2 * 6 * kRanks));
    EXPECT_EQ(atollRedOpDestroy(twice[rank], comms_[rank]), atollSuccess);
  }
}

TEST_F(CudaGroups, CallThatIsRefused_LeavesThoseBeforeIt) {
  std::vector<std::thread> threads;
  for (int rank = 0; rank < kRanks; ++rank) {
    threads.emplace_back([&, rank] {
      std::vector<int> host(kCount);
      EXPECT_EQ(atollGroupStart(), atollSuccess);
      sum(rank, send_[rank], recv_[rank]);
      sum(rank, host.data(), recv_[rank]);
      EXPECT_EQ(atollGroupEnd(), atollInvalidArgument);
      EXPECT_EQ(received(rank), std::vector<int>(kCount, 6));
      // And the communicator is as good as before.
      sum(rank, send_[rank], recv_[rank], atollMax);
      EXPECT_EQ(received(rank), std::vector<int>(kCount, 3));
    });
  }
  for (auto& thread : threads) thread.join();
}

/// Each rank has one stream for both communicators and names them in another order: launched so, each would wait on the
/// device for a call that is queued behind it.
TEST_F(CudaGroups, CommunicatorsOfAGroup_AreLaunchedInOneOrderEverywhere) {
  atollComm_t others[kRanks] = {};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < kRanks; ++rank) {
    ASSERT_EQ(atollCommSplit(comms_[rank], 0, kRanks - rank, &others[rank], nullptr), atollSuccess);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << atollGetLastError(nullptr);
  for (int turn = 0; turn < 2; ++turn) {
    std::vector<std::thread> threads;
    for (int rank = 0; rank < kRanks; ++rank) {
      threads.emplace_back([&, rank] {
        const atollStream_t stream = asAtolls(streams_[rank]);
        EXPECT_EQ(atollGroupStart(), atollSuccess);
        for (int i = 0; i < 2; ++i) {
          if ((i + rank + turn) % 2 == 0) {
            sum(rank, send_[rank], recv_[rank]);
          } else {
            EXPECT_EQ(atollAllReduce(send_[rank], send_[rank], kCount, atollInt, atollMax, others[rank], stream),
                      atollSuccess);
          }
        }
        EXPECT_EQ(atollGroupEnd(), atollSuccess) << atollGetLastError(nullptr);
        EXPECT_EQ(cudaStreamSynchronize(streams_[rank]), cudaSuccess);
      });
    }
    for (auto& thread : threads) thread.join();
  }
  // Whether the maximum came before the sum is the communicators' order; it came before that of the second turn.
  for (int rank = 0; rank < kRanks; ++rank) {
    EXPECT_EQ(received(rank), std::vector<int>(kCount, 3 * kRanks));
    EXPECT_EQ(atollCommDestroy(others[rank]), atollSuccess);
  }
}

}  // namespace
}  // namespace atl
