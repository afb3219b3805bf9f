// SPDX-License-Identifier: Apache-2.0
// The ways into a communicator: by id, by several ids, in a group, in the background, by file, by environment; and
// split.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <vector>

#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;

atollUniqueId newId() {
  atollUniqueId id;
  EXPECT_EQ(atollGetUniqueId(&id), atollSuccess) << lastError();
  return id;
}

/// Every rank of the world adds its rank: all see the same sum.
void expectWorking(World& world) {
  world.run([&](int rank, atollComm_t comm) {
    int value = rank;
    ASSERT_EQ(atollAllReduce(&value, &value, 1, atollInt, atollSum, comm, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(value, world.ranks() * (world.ranks() - 1) / 2);
  });
}

/// Every rank joins in a thread of its own by join(rank, &comm), which succeeds.
template <class Join>
std::vector<atollComm_t> joinAll(int ranks, Join join) {
  std::vector<atollComm_t> comms(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back(
        [&, rank] { EXPECT_EQ(join(rank, &comms[static_cast<std::size_t>(rank)]), atollSuccess) << lastError(); });
  }
  for (std::thread& thread : threads) thread.join();
  return comms;
}

/// Polls until the communicator is made, or is known not to be.
atollResult_t awaitMade(atollComm_t comm) {
  for (;;) {
    atollResult_t state = atollSuccess;
    EXPECT_EQ(atollCommGetAsyncError(comm, &state), atollSuccess) << lastError();
    if (state != atollInProgress) return state;
    std::this_thread::yield();
  }
}

TEST(Init, ByOneId_JoinsAllRanks) {
  const atollUniqueId id = newId();
  World world(joinAll(3, [&](int rank, atollComm_t* comm) { return atollCommInitRank(comm, 3, id, rank); }));
  expectWorking(world);
}

TEST(Init, BySeveralIds_JoinsAllRanks) {
  const std::array ids{newId(), newId()};
  World world(joinAll(5, [&](int rank, atollComm_t* comm) {
    return atollCommInitRankScalable(comm, 5, rank, 2, ids.data(), nullptr);
  }));
  expectWorking(world);
}

TEST(Init, InAGroup_OneThreadJoinsAllRanks) {
  const atollUniqueId id = newId();
  std::vector<atollComm_t> comms(3);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 3; ++rank) {
    ASSERT_EQ(atollCommInitRank(&comms[static_cast<std::size_t>(rank)], 3, id, rank), atollSuccess) << lastError();
  }
  EXPECT_EQ(atollBarrier(comms[0], nullptr), atollInvalidUsage) << "not before the end of the group";
  EXPECT_THAT(lastError(), HasSubstr("the communicator is still being made"));
  EXPECT_EQ(atollGroupEnd(), atollInvalidUsage) << "which is an error of the group";
  EXPECT_THAT(comms, testing::Each(nullptr));

  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 3; ++rank) {
    ASSERT_EQ(atollCommInitRank(&comms[static_cast<std::size_t>(rank)], 3, id, rank), atollSuccess) << lastError();
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  World world(comms);
  expectWorking(world);
}

TEST(Init, ThatFailsInAGroup_LeavesNull) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.bootstrapTimeout = 0.3;
  atollComm_t comm = nullptr;
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  ASSERT_EQ(atollCommInitRankConfig(&comm, 2, newId(), 0, &config), atollSuccess);
  EXPECT_NE(comm, nullptr);
  EXPECT_EQ(atollGroupEnd(), atollTimeout);
  EXPECT_THAT(lastError(), HasSubstr("rank 1"));
  EXPECT_EQ(comm, nullptr);
}

TEST(Init, NonBlocking_IsPolled) {
  const atollUniqueId id = newId();
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.blocking = 0;
  std::vector<atollComm_t> comms(2);
  ASSERT_EQ(atollCommInitRankConfig(&comms[0], 2, id, 0, &config), atollInProgress) << lastError();
  atollResult_t state = atollSuccess;
  EXPECT_EQ(atollCommGetAsyncError(comms[0], &state), atollSuccess);
  EXPECT_EQ(state, atollInProgress) << "rank 1 has not come";
  EXPECT_EQ(atollBarrier(comms[0], nullptr), atollInvalidUsage);
  int count = 0;
  EXPECT_EQ(atollCommCount(comms[0], &count), atollInvalidUsage);
  EXPECT_THAT(lastError(), HasSubstr("atollCommCount: the communicator is still being made"));
  ASSERT_EQ(atollCommInitRankConfig(&comms[1], 2, id, 1, &config), atollInProgress) << lastError();
  EXPECT_EQ(awaitMade(comms[0]), atollSuccess) << lastError(comms[0]);
  EXPECT_EQ(awaitMade(comms[1]), atollSuccess) << lastError(comms[1]);
  World world(comms);
  expectWorking(world);
}

TEST(Init, NonBlockingThatFails_KeepsTheReason) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.blocking = 0;
  config.bootstrapTimeout = 0.3;
  atollComm_t comm = nullptr;
  ASSERT_EQ(atollCommInitRankConfig(&comm, 2, newId(), 0, &config), atollInProgress);
  EXPECT_EQ(awaitMade(comm), atollTimeout);
  EXPECT_THAT(lastError(comm), HasSubstr("rank 1"));
  EXPECT_EQ(atollBarrier(comm, nullptr), atollTimeout);
  EXPECT_THAT(lastError(), HasSubstr("the communicator could not be made"));
  EXPECT_EQ(atollCommDestroy(comm), atollSuccess);
}

TEST(Init, NonBlocking_CanBeDestroyedAndAbortedMeanwhile) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.blocking = 0;
  config.bootstrapTimeout = 0.3;
  atollComm_t comm = nullptr;
  ASSERT_EQ(atollCommInitRankConfig(&comm, 2, newId(), 0, &config), atollInProgress);
  EXPECT_EQ(atollCommAbort(comm), atollSuccess) << lastError();
  EXPECT_EQ(atollBarrier(comm, nullptr), atollInvalidUsage) << "the handle is on its way out";
  ASSERT_EQ(atollCommInitRankConfig(&comm, 2, newId(), 0, &config), atollInProgress);
  EXPECT_EQ(atollCommDestroy(comm), atollSuccess) << lastError();
  EXPECT_EQ(atollBarrier(comm, nullptr), atollInvalidArgument);
}

TEST(Init, ByFile_JoinsAllRanksAndRemovesTheFile) {
  const auto path = std::filesystem::temp_directory_path() / ("atoll-init-test-" + std::to_string(::getpid()));
  World world(
      joinAll(3, [&](int rank, atollComm_t* comm) { return atollCommInitFile(comm, 3, rank, path.c_str(), nullptr); }));
  expectWorking(world);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Init, ByFileWithoutRankZero_NamesTheFile) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.bootstrapTimeout = 0.2;
  atollComm_t comm = nullptr;
  EXPECT_EQ(atollCommInitFile(&comm, 2, 1, "/nonexistent/rendezvous", &config), atollTimeout);
  EXPECT_THAT(lastError(), HasSubstr("atollCommInitFile: rendezvous file /nonexistent/rendezvous"));
}

TEST(Init, ByAnEnvironmentWithoutLauncher_IsAJobOfOne) {
  atollComm_t comm = nullptr;
  ASSERT_EQ(atollCommInitEnv(&comm, nullptr), atollSuccess) << lastError();
  World world({comm});
  expectWorking(world);
  atollUniqueId id;
  int process = -1;
  int processes = -1;
  ASSERT_EQ(atollGetUniqueIdFromEnv(&id, &process, &processes), atollSuccess) << lastError();
  EXPECT_EQ(process, 0);
  EXPECT_EQ(processes, 1);
  World second(joinAll(2, [&](int rank, atollComm_t* joined) { return atollCommInitRank(joined, 2, id, rank); }));
  expectWorking(second);
}

TEST(Split, ByParity_OrdersByKey) {
  constexpr int kRanks = 5;
  World world(kRanks);
  world.run([](int rank, atollComm_t comm) {
    atollComm_t part = nullptr;
    ASSERT_EQ(atollCommSplit(comm, rank % 2, -rank, &part, nullptr), atollSuccess) << lastError();
    int partRank = -1;
    int partRanks = -1;
    ASSERT_EQ(atollCommUserRank(part, &partRank), atollSuccess);
    ASSERT_EQ(atollCommCount(part, &partRanks), atollSuccess);
    EXPECT_EQ(partRanks, rank % 2 == 0 ? 3 : 2);
    EXPECT_EQ(partRank, (kRanks - 1 - rank) / 2) << "keys are in reverse";
    int sum = rank;
    ASSERT_EQ(atollAllReduce(&sum, &sum, 1, atollInt, atollSum, part, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(sum, rank % 2 == 0 ? 0 + 2 + 4 : 1 + 3);
    ASSERT_EQ(atollBarrier(comm, nullptr), atollSuccess) << "the parent stays good";
    EXPECT_EQ(atollCommDestroy(part), atollSuccess);
  });
}

TEST(Split, WithoutColor_TakesPartAndGetsNull) {
  World world(3);
  world.run([](int rank, atollComm_t comm) {
    atollComm_t part = comm;
    ASSERT_EQ(atollCommSplit(comm, rank == 1 ? ATOLL_SPLIT_NOCOLOR : 7, 0, &part, nullptr), atollSuccess)
        << lastError();
    EXPECT_EQ(part == nullptr, rank == 1);
    EXPECT_EQ(atollCommDestroy(part), atollSuccess);
  });
}

TEST(Split, WrongColor_IsRefused) {
  World world(1);
  atollComm_t part = nullptr;
  EXPECT_EQ(atollCommSplit(world[0], -2, 0, &part, nullptr), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommSplit: argument color is -2; it must be at least 0, or ATOLL_SPLIT_NOCOLOR (-1)");
}

TEST(Split, InAGroup_OneThreadSplitsForAllRanks) {
  World world(4);
  std::vector<atollComm_t> parts(4);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 4; ++rank) {
    ASSERT_EQ(atollCommSplit(world[rank], 0, -rank, &parts[static_cast<std::size_t>(rank)], nullptr), atollSuccess)
        << lastError();
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  World reversed({parts[3], parts[2], parts[1], parts[0]});
  expectWorking(reversed);
}

TEST(Split, NonBlocking_MakesTheParentsNextCallWait) {
  World world(2);
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.blocking = 0;
  std::vector<atollComm_t> parts(2);
  world.run([&](int rank, atollComm_t comm) {
    atollComm_t& part = parts[static_cast<std::size_t>(rank)];
    ASSERT_EQ(atollCommSplit(comm, 0, 0, &part, &config), atollInProgress) << lastError();
    ASSERT_EQ(atollBarrier(comm, nullptr), atollSuccess) << lastError();
    EXPECT_EQ(awaitMade(part), atollSuccess) << lastError(part);
  });
  World children(parts);
  expectWorking(children);
}

}  // namespace
}  // namespace atl::api
