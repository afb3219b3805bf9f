// SPDX-License-Identifier: Apache-2.0
// Every collective of the API once, with data that tells each rank's contribution from the others'. What runs
// underneath is tested in depth elsewhere.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <numeric>
#include <vector>

#include "tests/api/world.h"

namespace atl::api {
namespace {

constexpr int kRanks = 4;
constexpr int kCount = 5;

int element(int rank, int i) {
  return 100 * rank + i;
}

std::vector<int> contribution(int rank, int count = kCount) {
  std::vector<int> data(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) data[static_cast<std::size_t>(i)] = element(rank, i);
  return data;
}

std::vector<int> concatenation(int count = kCount) {
  std::vector<int> all;
  for (int rank = 0; rank < kRanks; ++rank) {
    const auto part = contribution(rank, count);
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

int sumAt(int i) {
  int sum = 0;
  for (int rank = 0; rank < kRanks; ++rank) sum += element(rank, i);
  return sum;
}

std::vector<int> sums(int first, int count) {
  std::vector<int> result;
  for (int i = first; i < first + count; ++i) result.push_back(sumAt(i));
  return result;
}

TEST(ApiCollectives, AllReduce_GivesTheSumToEveryRank) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    const auto send = contribution(rank);
    std::vector<int> recv(kCount);
    ASSERT_EQ(atollAllReduce(send.data(), recv.data(), kCount, atollInt, atollSum, comm, nullptr), atollSuccess)
        << lastError();
    EXPECT_EQ(recv, sums(0, kCount));
  });
}

TEST(ApiCollectives, AllReduceInPlace_ReplacesTheInput) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    auto data = contribution(rank);
    ASSERT_EQ(atollAllReduce(data.data(), data.data(), kCount, atollInt, atollSum, comm, nullptr), atollSuccess);
    EXPECT_EQ(data, sums(0, kCount));
  });
}

TEST(ApiCollectives, Reduce_TakesNoReceiveBufferOffTheRoot) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    constexpr int kRoot = 2;
    const auto send = contribution(rank);
    std::vector<int> recv(kCount);
    ASSERT_EQ(atollReduce(send.data(), rank == kRoot ? recv.data() : nullptr, kCount, atollInt, atollMax, kRoot, comm,
                          nullptr),
              atollSuccess)
        << lastError();
    if (rank == kRoot) {
      EXPECT_EQ(recv, contribution(kRanks - 1));
    }
  });
}

TEST(ApiCollectives, Broadcast_TakesNoSendBufferOffTheRoot) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    constexpr int kRoot = 1;
    const auto send = contribution(rank);
    std::vector<int> recv(kCount);
    ASSERT_EQ(
        atollBroadcast(rank == kRoot ? send.data() : nullptr, recv.data(), kCount, atollInt, kRoot, comm, nullptr),
        atollSuccess)
        << lastError();
    EXPECT_EQ(recv, contribution(kRoot));
  });
}

TEST(ApiCollectives, AllGather_KeepsRankOrder) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    const auto send = contribution(rank);
    std::vector<int> recv(kRanks * kCount);
    ASSERT_EQ(atollAllGather(send.data(), recv.data(), kCount, atollInt, comm, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(recv, concatenation());
  });
}

TEST(ApiCollectives, AllGatherInPlace_ReadsItsOwnBlock) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    std::vector<int> data(kRanks * kCount);
    int* const own = data.data() + rank * kCount;
    const auto mine = contribution(rank);
    std::copy(mine.begin(), mine.end(), own);
    ASSERT_EQ(atollAllGather(own, data.data(), kCount, atollInt, comm, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(data, concatenation());
  });
}

TEST(ApiCollectives, ReduceScatter_LeavesEachRankItsBlock) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    const auto send = contribution(rank, kRanks * kCount);
    std::vector<int> recv(kCount);
    ASSERT_EQ(atollReduceScatter(send.data(), recv.data(), kCount, atollInt, atollSum, comm, nullptr), atollSuccess)
        << lastError();
    EXPECT_EQ(recv, sums(rank * kCount, kCount));
  });
}

TEST(ApiCollectives, ReduceScatterInPlace_LeavesTheOtherBlocksAlone) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    auto data = contribution(rank, kRanks * kCount);
    auto expected = data;
    const auto reduced = sums(rank * kCount, kCount);
    std::copy(reduced.begin(), reduced.end(), expected.begin() + rank * kCount);
    ASSERT_EQ(atollReduceScatter(data.data(), data.data() + rank * kCount, kCount, atollInt, atollSum, comm, nullptr),
              atollSuccess)
        << lastError();
    EXPECT_EQ(data, expected);
  });
}

TEST(ApiCollectives, AllToAll_TransposesTheBlocks) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    const auto send = contribution(rank, kRanks * kCount);
    std::vector<int> recv(kRanks * kCount);
    ASSERT_EQ(atollAllToAll(send.data(), recv.data(), kCount, atollInt, comm, nullptr), atollSuccess) << lastError();
    for (int from = 0; from < kRanks; ++from) {
      for (int i = 0; i < kCount; ++i) {
        EXPECT_EQ(recv[static_cast<std::size_t>(from * kCount + i)], element(from, rank * kCount + i));
      }
    }
  });
}

TEST(ApiCollectives, GatherAndScatter_AreEachOthersInverse) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    constexpr int kRoot = 3;
    const auto send = contribution(rank);
    std::vector<int> all(kRanks * kCount);
    ASSERT_EQ(atollGather(send.data(), rank == kRoot ? all.data() : nullptr, kCount, atollInt, kRoot, comm, nullptr),
              atollSuccess)
        << lastError();
    if (rank == kRoot) {
      EXPECT_EQ(all, concatenation());
    }
    std::vector<int> back(kCount);
    ASSERT_EQ(atollScatter(rank == kRoot ? all.data() : nullptr, back.data(), kCount, atollInt, kRoot, comm, nullptr),
              atollSuccess)
        << lastError();
    EXPECT_EQ(back, send);
  });
}

TEST(ApiCollectives, SendAndRecv_PassARing) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    const auto send = contribution(rank);
    std::vector<int> recv(kCount);
    ASSERT_EQ(atollGroupStart(), atollSuccess);
    EXPECT_EQ(atollSend(send.data(), kCount, atollInt, (rank + 1) % kRanks, comm, nullptr), atollSuccess);
    EXPECT_EQ(atollRecv(recv.data(), kCount, atollInt, (rank + kRanks - 1) % kRanks, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
    EXPECT_EQ(recv, contribution((rank + kRanks - 1) % kRanks));
  });
}

TEST(ApiCollectives, SendOutsideAGroup_MeetsItsReceive) {
  World world(2);
  world.run([](int rank, atollComm_t comm) {
    auto data = contribution(rank);
    if (rank == 0) {
      ASSERT_EQ(atollSend(data.data(), kCount, atollInt, 1, comm, nullptr), atollSuccess) << lastError();
    } else {
      ASSERT_EQ(atollRecv(data.data(), kCount, atollInt, 0, comm, nullptr), atollSuccess) << lastError();
      EXPECT_EQ(data, contribution(0));
    }
  });
}

TEST(ApiCollectives, Barrier_LetsNobodyPassBeforeTheLast) {
  World world(kRanks);
  std::atomic<int> arrived{0};
  world.run([&](int, atollComm_t comm) {
    ++arrived;
    ASSERT_EQ(atollBarrier(comm, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(arrived.load(), kRanks);
  });
}

TEST(ApiCollectives, ZeroCounts_NeedNoBuffers) {
  World world(kRanks);
  world.run([](int, atollComm_t comm) {
    EXPECT_EQ(atollAllReduce(nullptr, nullptr, 0, atollFloat, atollSum, comm, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(atollAllGather(nullptr, nullptr, 0, atollFloat, comm, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(atollAllToAll(nullptr, nullptr, 0, atollFloat, comm, nullptr), atollSuccess) << lastError();
  });
}

/// Block i of the v-forms has i + 1 elements, but for rank 1, which has none.
std::size_t blockSize(int rank) {
  return rank == 1 ? 0 : static_cast<std::size_t>(rank) + 1;
}

TEST(ApiVectorCollectives, AllGatherV_PutsBlocksWhereTheyBelong) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    std::vector<std::size_t> counts;
    std::vector<std::size_t> displs;
    for (int r = 0; r < kRanks; ++r) {
      counts.push_back(blockSize(r));
      displs.push_back(static_cast<std::size_t>(kRanks - 1 - r) * 10);  // backwards, with gaps
    }
    const auto send = contribution(rank, static_cast<int>(blockSize(rank)));
    std::vector<int> recv(40, -1);
    auto expected = recv;
    for (int r = 0; r < kRanks; ++r) {
      const auto part = contribution(r, static_cast<int>(blockSize(r)));
      std::copy(part.begin(), part.end(),
                expected.begin() + static_cast<std::ptrdiff_t>(displs[static_cast<std::size_t>(r)]));
    }
    ASSERT_EQ(
        atollAllGatherV(send.data(), send.size(), recv.data(), counts.data(), displs.data(), atollInt, comm, nullptr),
        atollSuccess)
        << lastError();
    EXPECT_EQ(recv, expected);
  });
}

TEST(ApiVectorCollectives, ReduceScatterV_LeavesUnequalBlocks) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    std::vector<std::size_t> counts;
    for (int r = 0; r < kRanks; ++r) counts.push_back(blockSize(r));
    const auto total = static_cast<int>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
    const auto before = static_cast<int>(std::accumulate(counts.begin(), counts.begin() + rank, std::size_t{0}));
    const auto send = contribution(rank, total);
    std::vector<int> recv(blockSize(rank));
    ASSERT_EQ(atollReduceScatterV(send.data(), counts.data(), recv.data(), atollInt, atollSum, comm, nullptr),
              atollSuccess)
        << lastError();
    EXPECT_EQ(recv, sums(before, static_cast<int>(blockSize(rank))));
  });
}

TEST(ApiVectorCollectives, AllToAllV_MovesADifferentCountBetweenEachPair) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    const auto between = [](int from, int to) { return static_cast<std::size_t>((from * 3 + to) % 5); };
    std::vector<std::size_t> sendCounts;
    std::vector<std::size_t> recvCounts;
    std::vector<std::size_t> displs;
    for (int r = 0; r < kRanks; ++r) {
      sendCounts.push_back(between(rank, r));
      recvCounts.push_back(between(r, rank));
      displs.push_back(static_cast<std::size_t>(r) * 5);
    }
    const auto send = contribution(rank, kRanks * 5);
    std::vector<int> recv(kRanks * 5, -1);
    auto expected = recv;
    for (int from = 0; from < kRanks; ++from) {
      for (std::size_t i = 0; i < between(from, rank); ++i) {
        expected[displs[static_cast<std::size_t>(from)] + i] = element(from, rank * 5 + static_cast<int>(i));
      }
    }
    ASSERT_EQ(atollAllToAllV(send.data(), sendCounts.data(), displs.data(), recv.data(), recvCounts.data(),
                             displs.data(), atollInt, comm, nullptr),
              atollSuccess)
        << lastError();
    EXPECT_EQ(recv, expected);
  });
}

TEST(ApiReproducibility, SameCallTwice_GivesTheSameBits) {
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    constexpr std::size_t kMany = 10007;
    std::vector<float> send(kMany);
    for (std::size_t i = 0; i < kMany; ++i) {
      send[i] = 1.0F / static_cast<float>((i * 7919 + static_cast<std::size_t>(rank) * 104729) % 9973 + 1);
    }
    std::vector<float> first(kMany);
    std::vector<float> again(kMany);
    ASSERT_EQ(atollAllReduce(send.data(), first.data(), kMany, atollFloat, atollSum, comm, nullptr), atollSuccess);
    for (int repetition = 0; repetition < 20; ++repetition) {
      if ((rank + repetition) % 3 == 0) std::this_thread::yield();  // other arrivals
      ASSERT_EQ(atollAllReduce(send.data(), again.data(), kMany, atollFloat, atollSum, comm, nullptr), atollSuccess);
      ASSERT_EQ(std::memcmp(first.data(), again.data(), kMany * sizeof(float)), 0) << "repetition " << repetition;
    }
  });
}

}  // namespace
}  // namespace atl::api
