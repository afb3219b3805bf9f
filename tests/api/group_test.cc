// SPDX-License-Identifier: Apache-2.0
// Groups: nesting, order, several communicators in one thread, and what an error does to a group.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;

TEST(Group, EndWithoutStart_IsAnError) {
  EXPECT_EQ(atollGroupEnd(), atollInvalidUsage);
  EXPECT_EQ(lastError(), "atollGroupEnd: no group is open in this thread; atollGroupStart begins one");
}

TEST(Group, Empty_Succeeds) {
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  EXPECT_EQ(atollGroupEnd(), atollSuccess);
}

TEST(Group, OneThread_RunsTheCallsOfAllRanks) {
  World world(4);
  std::array<int, 4> data{1, 20, 300, 4000};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 4; ++rank) {
    int* const own = &data[static_cast<std::size_t>(rank)];
    ASSERT_EQ(atollAllReduce(own, own, 1, atollInt, atollSum, world[rank], nullptr), atollSuccess);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  EXPECT_THAT(data, testing::Each(4321));
}

TEST(Group, OnlyTheOutermostEnd_RunsTheCalls) {
  World world(2);
  std::array<int, 2> data{5, 7};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 2; ++rank) {
    int* const own = &data[static_cast<std::size_t>(rank)];
    ASSERT_EQ(atollAllReduce(own, own, 1, atollInt, atollSum, world[rank], nullptr), atollSuccess);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess);
  EXPECT_THAT(data, testing::ElementsAre(5, 7)) << "the inner end runs nothing";
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  EXPECT_THAT(data, testing::ElementsAre(12, 12));
}

TEST(Group, SendsAndReceives_AreOneExchange) {
  constexpr int kRanks = 3;
  constexpr std::size_t kMany = 100000;  // more than any link buffers
  World world(kRanks);
  world.run([&](int rank, atollComm_t comm) {
    std::vector<std::vector<int>> sent(kRanks, std::vector<int>(kMany, rank));
    std::vector<std::vector<int>> received(kRanks, std::vector<int>(kMany, -1));
    ASSERT_EQ(atollGroupStart(), atollSuccess);
    for (std::size_t peer = 0; peer < kRanks; ++peer) {  // all sends first; to myself too
      ASSERT_EQ(atollSend(sent[peer].data(), kMany, atollInt, static_cast<int>(peer), comm, nullptr), atollSuccess);
    }
    for (std::size_t peer = 0; peer < kRanks; ++peer) {
      ASSERT_EQ(atollRecv(received[peer].data(), kMany, atollInt, static_cast<int>(peer), comm, nullptr), atollSuccess);
    }
    ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
    for (int peer = 0; peer < kRanks; ++peer) {
      EXPECT_EQ(received[static_cast<std::size_t>(peer)], std::vector<int>(kMany, peer));
    }
  });
}

TEST(Group, CallsOnOneCommunicator_RunInTheirOrder) {
  World world(2);
  world.run([](int rank, atollComm_t comm) {
    int value = rank + 1;
    int other = -1;
    ASSERT_EQ(atollGroupStart(), atollSuccess);
    ASSERT_EQ(atollAllReduce(&value, &value, 1, atollInt, atollSum, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollSend(&value, 1, atollInt, 1 - rank, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollRecv(&other, 1, atollInt, 1 - rank, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollAllReduce(&other, &other, 1, atollInt, atollProd, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
    EXPECT_EQ(value, 3);
    EXPECT_EQ(other, 9);
  });
}

TEST(Group, CallsAfterSendsAndReceives_RunAfterThem) {
  World world(2);
  world.run([](int rank, atollComm_t comm) {
    const int own = rank + 1;
    int other = -1;
    ASSERT_EQ(atollGroupStart(), atollSuccess);
    ASSERT_EQ(atollSend(&own, 1, atollInt, 1 - rank, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollRecv(&other, 1, atollInt, 1 - rank, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollAllReduce(&other, &other, 1, atollInt, atollSum, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
    EXPECT_EQ(other, 3);
  });
}

TEST(Group, OneThread_SendsAndReceivesForAllRanks) {
  World world(2);
  const std::array<int, 2> sent{5, 7};
  std::array<int, 2> received{-1, -1};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 2; ++rank) {
    const auto own = static_cast<std::size_t>(rank);
    ASSERT_EQ(atollSend(&sent[own], 1, atollInt, 1 - rank, world[rank], nullptr), atollSuccess);
    ASSERT_EQ(atollRecv(&received[own], 1, atollInt, 1 - rank, world[rank], nullptr), atollSuccess);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  EXPECT_THAT(received, testing::ElementsAre(7, 5));
}

TEST(Group, AfterASpoiledExchange_TheNextOneHasNothingOfIt) {
  World world(1);
  const int sent = 5;
  int received = -1;
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollSend(&sent, 1, atollInt, 0, world[0], nullptr), atollSuccess);
  ASSERT_EQ(atollRecv(&received, 1, atollInt, 9, world[0], nullptr), atollInvalidArgument);
  EXPECT_EQ(atollGroupEnd(), atollInvalidArgument);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollSend(&sent, 1, atollInt, 0, world[0], nullptr), atollSuccess);
  ASSERT_EQ(atollRecv(&received, 1, atollInt, 0, world[0], nullptr), atollSuccess);
  EXPECT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  EXPECT_EQ(received, 5);
}

TEST(Group, CommunicatorsDoNotWaitForEachOther) {
  // Rank 0 has two calls on each of two communicators in one group; rank 1 makes them one communicator after the other.
  // If the first communicator waited for the second between its calls, neither rank could go on.
  World x(2);
  World y(2);
  const auto barrier = [](atollComm_t comm) { ASSERT_EQ(atollBarrier(comm, nullptr), atollSuccess) << lastError(); };
  std::thread other([&] {
    for (World* world : {&x, &y}) {
      barrier((*world)[1]);
      barrier((*world)[1]);
    }
  });
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int repetition = 0; repetition < 2; ++repetition) {
    barrier(x[0]);
    barrier(y[0]);
  }
  EXPECT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  other.join();
}

TEST(Group, AWrongArgument_IsReportedAtTheCallAndAgainAtTheEnd) {
  World world(2);
  std::array<int, 2> data{5, 7};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  EXPECT_EQ(atollBroadcast(data.data(), data.data(), 1, atollInt, 2, world[0], nullptr), atollInvalidArgument);
  EXPECT_EQ(atollAllReduce(data.data(), data.data(), 1, atollInt, atollSum, world[0], nullptr), atollSuccess);
  EXPECT_EQ(atollGroupEnd(), atollInvalidArgument);
  EXPECT_EQ(lastError(),
            "atollGroupEnd: nothing of the group was run: atollBroadcast: argument root is 2, but the communicator has "
            "2 ranks (0-1)");
  EXPECT_THAT(data, testing::ElementsAre(5, 7));

  // The next group starts afresh.
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 2; ++rank) {
    int* const own = &data[static_cast<std::size_t>(rank)];
    ASSERT_EQ(atollAllReduce(own, own, 1, atollInt, atollSum, world[rank], nullptr), atollSuccess);
  }
  EXPECT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  EXPECT_THAT(data, testing::ElementsAre(12, 12));
}

TEST(Group, ADeadHandle_SpoilsTheGroup) {
  World world(1);
  int value = 3;
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  EXPECT_EQ(atollAllReduce(&value, &value, 1, atollInt, atollSum, nullptr, nullptr), atollInvalidArgument);
  EXPECT_EQ(atollBarrier(world[0], nullptr), atollSuccess);
  EXPECT_EQ(atollGroupEnd(), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("nothing of the group was run: atollAllReduce: argument comm is NULL"));
}

TEST(Group, DestroyingACommunicatorOfTheGroup_FailsTheEnd) {
  atollComm_t comm = nullptr;
  ASSERT_EQ(atollCommInitAll(&comm, 1), atollSuccess);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollBarrier(comm, nullptr), atollSuccess);
  ASSERT_EQ(atollCommDestroy(comm), atollSuccess);
  EXPECT_EQ(atollGroupEnd(), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("is not a live communicator"));
}

TEST(Group, ArraysOfAVectorForm_AreCopied) {
  World world(2);
  std::array<int, 2> send{10, 11};
  std::array<std::array<int, 2>, 2> recv{};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (std::size_t rank = 0; rank < 2; ++rank) {
    std::array<std::size_t, 2> counts{1, 1};
    std::array<std::size_t, 2> displs{1, 0};
    ASSERT_EQ(atollAllGatherV(&send[rank], 1, recv[rank].data(), counts.data(), displs.data(), atollInt,
                              world[static_cast<int>(rank)], nullptr),
              atollSuccess);
    counts.fill(99);
    displs.fill(99);
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  EXPECT_THAT(recv[0], testing::ElementsAre(11, 10));
  EXPECT_THAT(recv[1], testing::ElementsAre(11, 10));
}

TEST(Group, RanksThatDisagree_AreToldWithBothSides) {
  World world(2);
  std::array<int, 4> data{1, 2, 3, 4};
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollAllReduce(&data[0], &data[0], 1, atollInt, atollSum, world[0], nullptr), atollSuccess);
  ASSERT_EQ(atollAllReduce(&data[2], &data[2], 2, atollInt, atollSum, world[1], nullptr), atollSuccess);
  EXPECT_EQ(atollGroupEnd(), atollMismatch);
  EXPECT_THAT(lastError(), testing::AllOf(HasSubstr("rank 0"), HasSubstr("rank 1"), HasSubstr("count")));
  for (int rank = 0; rank < 2; ++rank) {
    atollResult_t state = atollSuccess;
    EXPECT_EQ(atollCommGetAsyncError(world[rank], &state), atollSuccess);
    EXPECT_EQ(state, atollMismatch);
  }
}

/// What the group of `calls` would take.
template <class Calls>
double simulated(Calls calls) {
  double seconds = -1;
  EXPECT_EQ(atollGroupStart(), atollSuccess);
  calls();
  EXPECT_EQ(atollGroupSimulateEnd(&seconds), atollSuccess) << lastError();
  return seconds;
}

TEST(GroupSimulateEnd, RunsNothingAndTellsATime) {
  World world(2);
  std::vector<int> numbers(1 << 20, 7);
  const auto sum = [&](std::size_t count) {
    ASSERT_EQ(atollAllReduce(numbers.data(), numbers.data(), count, atollInt, atollSum, world[0], nullptr),
              atollSuccess);
  };
  const double little = simulated([&] { sum(1); });
  const double much = simulated([&] { sum(numbers.size()); });
  const double both = simulated([&] {
    sum(1);
    sum(numbers.size());
  });
  EXPECT_GT(little, 0);
  EXPECT_GT(much, little);
  EXPECT_DOUBLE_EQ(both, little + much);
  EXPECT_EQ(numbers.front(), 7);
  // No group is open any more, and none of its calls is left for the next.
  double seconds = 0;
  EXPECT_EQ(atollGroupSimulateEnd(&seconds), atollInvalidUsage);
  EXPECT_EQ(simulated([] {}), 0);
  world.run([&](int, atollComm_t comm) { EXPECT_EQ(atollBarrier(comm, nullptr), atollSuccess) << lastError(comm); });
}

TEST(GroupSimulateEnd, SendsAndCommunicators) {
  World world(2);
  World other(2);
  std::vector<char> bytes(1 << 22);
  const auto exchange = [&](atollComm_t comm, std::size_t count) {
    ASSERT_EQ(atollSend(bytes.data(), count, atollInt8, 1, comm, nullptr), atollSuccess);
    ASSERT_EQ(atollRecv(bytes.data(), count, atollInt8, 1, comm, nullptr), atollSuccess);
  };
  const double little = simulated([&] { exchange(world[0], 8); });
  const double much = simulated([&] { exchange(world[0], bytes.size()); });
  EXPECT_GT(little, 0);
  EXPECT_GT(much, little);
  // Side by side, the longer one tells.
  EXPECT_DOUBLE_EQ(much, simulated([&] {
                     exchange(world[0], bytes.size());
                     exchange(other[0], 8);
                   }));
}

TEST(GroupSimulateEnd, WrongUse_IsNamedAndClosesTheGroup) {
  World world(2);
  double seconds = -1;
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  EXPECT_EQ(atollGroupSimulateEnd(nullptr), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollGroupSimulateEnd: argument seconds is NULL");
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  EXPECT_EQ(atollBarrier(nullptr, nullptr), atollInvalidArgument);
  EXPECT_EQ(atollGroupSimulateEnd(&seconds), atollInvalidArgument);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  atollComm_t part = nullptr;
  ASSERT_EQ(atollCommSplit(world[0], 0, 0, &part, nullptr), atollSuccess);
  EXPECT_EQ(atollGroupSimulateEnd(&seconds), atollInvalidUsage);
  EXPECT_EQ(part, nullptr);
  EXPECT_EQ(seconds, 0);
  // Of two the outer one tells.
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollBarrier(world[0], nullptr), atollSuccess);
  EXPECT_EQ(atollGroupSimulateEnd(&seconds), atollSuccess);
  EXPECT_EQ(seconds, 0);
  EXPECT_EQ(atollGroupSimulateEnd(&seconds), atollSuccess);
  EXPECT_GT(seconds, 0);
}

}  // namespace
}  // namespace atl::api
