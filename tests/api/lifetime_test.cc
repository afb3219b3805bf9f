// SPDX-License-Identifier: Apache-2.0
// Handles: after their end, in the wrong phase, in the wrong thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "tests/api/gate.h"
#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

atollResult_t allReduceOne(atollComm_t comm, atollRedOp_t op = atollSum) {
  int value = 1;
  return atollAllReduce(&value, &value, 1, atollInt, op, comm, nullptr);
}

TEST(Lifetime, UseAfterDestroy_IsAnError) {
  atollComm_t comm = nullptr;
  ASSERT_EQ(atollCommInitAll(&comm, 1), atollSuccess);
  ASSERT_EQ(allReduceOne(comm), atollSuccess) << lastError();
  ASSERT_EQ(atollCommDestroy(comm), atollSuccess);
  EXPECT_EQ(allReduceOne(comm), atollInvalidArgument);
  EXPECT_THAT(lastError(),
              MatchesRegex("atollAllReduce: argument comm is 0x[0-9a-f]+, which is not a live communicator: it was "
                           "destroyed, aborted or never made"));
  int rank = 0;
  EXPECT_EQ(atollCommUserRank(comm, &rank), atollInvalidArgument);
  EXPECT_EQ(atollCommDestroy(comm), atollInvalidArgument) << "the second time";
  EXPECT_EQ(atollCommAbort(comm), atollInvalidArgument);
  atollResult_t state = atollSuccess;
  EXPECT_EQ(atollCommGetAsyncError(comm, &state), atollInvalidArgument);
}

TEST(Lifetime, AStaleHandle_IsNotItsPlacesNextCommunicator) {
  atollComm_t old = nullptr;
  ASSERT_EQ(atollCommInitAll(&old, 1), atollSuccess);
  ASSERT_EQ(atollCommDestroy(old), atollSuccess);
  World next(1);
  EXPECT_NE(old, next[0]);
  EXPECT_EQ(allReduceOne(old), atollInvalidArgument);
  EXPECT_EQ(allReduceOne(next[0]), atollSuccess);
}

TEST(Lifetime, WhatWasNeverAHandle_IsAnError) {
  int notACommunicator = 0;
  EXPECT_EQ(allReduceOne(reinterpret_cast<atollComm_t>(&notACommunicator)), atollInvalidArgument);
  EXPECT_EQ(allReduceOne(forged<atollComm_t>(UINTPTR_MAX)), atollInvalidArgument);
  EXPECT_EQ(allReduceOne(forged<atollComm_t>(0xfffffffa)), atollInvalidArgument);
}

TEST(Lifetime, NullIsDestroyedAndAborted_AsFreeTakesNull) {
  EXPECT_EQ(atollCommDestroy(nullptr), atollSuccess);
  EXPECT_EQ(atollCommAbort(nullptr), atollSuccess);
}

TEST(Lifetime, Finalized_TakesQueriesButNoCalls) {
  World world(2);
  ASSERT_EQ(atollCommFinalize(world[0]), atollSuccess);
  EXPECT_EQ(allReduceOne(world[0]), atollInvalidUsage);
  EXPECT_EQ(lastError(), "atollAllReduce: the communicator was finalized and takes no more calls");
  EXPECT_EQ(atollCommFinalize(world[0]), atollInvalidUsage);
  int count = 0;
  EXPECT_EQ(atollCommCount(world[0], &count), atollSuccess);
  EXPECT_EQ(count, 2);
}

TEST(Lifetime, QueriesTellRankAndSize) {
  World world(3);
  for (int rank = 0; rank < 3; ++rank) {
    int told = -1;
    int count = -1;
    int device = 0;
    EXPECT_EQ(atollCommUserRank(world[rank], &told), atollSuccess);
    EXPECT_EQ(atollCommCount(world[rank], &count), atollSuccess);
    EXPECT_EQ(atollCommDevice(world[rank], &device), atollSuccess);
    EXPECT_EQ(told, rank);
    EXPECT_EQ(count, 3);
    EXPECT_EQ(device, -1);
  }
}

TEST(Lifetime, StatsAreWrittenOnlyAsFarAsTheCallerKnows) {
  World world(1);
  ASSERT_EQ(allReduceOne(world[0]), atollSuccess);
  atollCommStats_t stats{};
  stats.size = offsetof(atollCommStats_t, links);  // an older program's structure
  stats.links = 12345;
  ASSERT_EQ(atollCommGetStats(world[0], &stats), atollSuccess) << lastError();
  EXPECT_GT(stats.bytesHeld, 0U);
  EXPECT_EQ(stats.links, 12345U);
  stats.size = sizeof stats;
  ASSERT_EQ(atollCommGetStats(world[0], &stats), atollSuccess);
  EXPECT_EQ(stats.calls, 1U);
  stats.size = 4;
  EXPECT_EQ(atollCommGetStats(world[0], &stats), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommGetStats: argument stats has size 4; it must be sizeof(atollCommStats_t)");
}

TEST(Lifetime, ChoiceNamesTheAlgorithmAndWhoChoseIt) {
  World world(2);
  atollChoice_t choice{};
  choice.size = sizeof choice;
  ASSERT_EQ(atollCommGetChoice(world[0], "allreduce", 1 << 20, &choice), atollSuccess) << lastError();
  EXPECT_EQ(choice.chooser, atollChosenByModel);
  EXPECT_STRNE(choice.algorithm, "");
  EXPECT_STREQ(choice.algorithm, choice.model);
  EXPECT_GT(choice.seconds, 0);
  EXPECT_EQ(choice.hosts, 1);
  EXPECT_STREQ(choice.links, "inproc");
}

TEST(Lifetime, ChoiceOfAForcedAlgorithm_IsTheUsers) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.algorithms = "ring";
  World world(1);
  World forced(std::vector<atollComm_t>(1));
  ASSERT_EQ(atollCommSplit(world[0], 0, 0, &forced[0], &config), atollSuccess) << lastError();
  atollChoice_t choice{};
  choice.size = sizeof choice;
  ASSERT_EQ(atollCommGetChoice(forced[0], "allreduce", 8, &choice), atollSuccess) << lastError();
  EXPECT_EQ(choice.chooser, atollChosenByUser);
  EXPECT_STREQ(choice.algorithm, "ring");
  EXPECT_STREQ(choice.model, "");
}

TEST(Lifetime, ASecondThreadInTheSameCommunicator_IsRefused) {
  World world(2);
  Gate gate;
  std::vector<atollRedOp_t> ops(2);
  for (int r = 0; r < 2; ++r) {
    ASSERT_EQ(atollRedOpCreateUser(&ops[static_cast<std::size_t>(r)], Gate::reduce, &gate, 1, world[r]), atollSuccess);
  }
  std::thread first([&] { EXPECT_EQ(allReduceOne(world[0], ops[0]), atollSuccess) << lastError(); });
  std::thread second([&] { EXPECT_EQ(allReduceOne(world[1], ops[1]), atollSuccess) << lastError(); });
  gate.awaitEntered();  // one rank is inside the reduction; the other is in the call, or on its way to it
  constexpr atollRedOp_t kNoSuchOp = 1 << 30;
  int refused = 0;
  for (int r = 0; r < 2; ++r) {
    if (atollRedOpDestroy(kNoSuchOp, world[r]) != atollInvalidUsage) continue;
    ++refused;
    EXPECT_THAT(lastError(), HasSubstr("another thread is in a call on this communicator"));
  }
  EXPECT_GE(refused, 1);
  gate.letGo();
  first.join();
  second.join();
}

TEST(Abort, FromAnotherThread_EndsACallThatWaits) {
  atollComm_t comms[2] = {};
  ASSERT_EQ(atollCommInitAll(comms, 2), atollSuccess);
  std::thread waiting([&] { EXPECT_EQ(atollBarrier(comms[0], nullptr), atollAborted) << lastError(); });
  // Rank 1 aborts its own handle: rank 0's call ends with it.
  EXPECT_EQ(atollCommAbort(comms[1]), atollSuccess);
  waiting.join();
  atollResult_t state = atollSuccess;
  ASSERT_EQ(atollCommGetAsyncError(comms[0], &state), atollSuccess);
  EXPECT_EQ(state, atollAborted);
  EXPECT_THAT(lastError(comms[0]), HasSubstr("rank 1"));
  EXPECT_EQ(allReduceOne(comms[0]), atollAborted);
  EXPECT_EQ(atollCommDestroy(comms[0]), atollSuccess);
}

TEST(Abort, OfTheWaitingHandleItself_FreesItAfterTheCallHasReturned) {
  atollComm_t comms[2] = {};
  ASSERT_EQ(atollCommInitAll(comms, 2), atollSuccess);
  atollStream_t stream = nullptr;
  ASSERT_EQ(atollStreamCreate(&stream), atollSuccess);
  ASSERT_EQ(atollBarrier(comms[0], stream), atollSuccess);
  EXPECT_EQ(atollStreamQuery(stream), atollInProgress);
  EXPECT_EQ(atollCommAbort(comms[0]), atollSuccess);
  EXPECT_EQ(atollStreamSynchronize(stream), atollAborted);
  EXPECT_EQ(atollStreamDestroy(stream), atollSuccess);
  EXPECT_EQ(allReduceOne(comms[0]), atollInvalidArgument);
  EXPECT_EQ(atollCommDestroy(comms[1]), atollSuccess);
}

TEST(Memory, AllocatedMemory_IsPageAlignedAndFreedOnce) {
  void* memory = nullptr;
  ASSERT_EQ(atollMemAlloc(&memory, 100), atollSuccess);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 4096, 0U);
  EXPECT_EQ(atollMemFree(memory), atollSuccess);
  EXPECT_EQ(atollMemFree(nullptr), atollSuccess);
  ASSERT_EQ(atollMemAlloc(&memory, 0), atollSuccess);
  EXPECT_EQ(memory, nullptr);
  int mine = 0;
  EXPECT_EQ(atollMemFree(&mine), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("which is not live memory of atollMemAlloc"));
}

TEST(Memory, Registrations_BelongToTheirCommunicator) {
  World world(2);
  char buffer[64] = {};
  void* handle = nullptr;
  ASSERT_EQ(atollCommRegister(world[0], buffer, sizeof buffer, &handle), atollSuccess);
  EXPECT_EQ(atollCommDeregister(world[1], handle), atollInvalidArgument);
  EXPECT_EQ(atollCommDeregister(world[0], handle), atollSuccess);
  EXPECT_EQ(atollCommDeregister(world[0], handle), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("is not a live registration of this communicator"));
  EXPECT_EQ(atollCommRegister(world[0], buffer, 0, &handle), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommRegister: argument size is 0; it must be at least 1");
}

}  // namespace
}  // namespace atl::api
