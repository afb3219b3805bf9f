// SPDX-License-Identifier: Apache-2.0
// atollCommShrink: all ranks but some.
#include <gmock/gmock.h>

#include <latch>
#include <vector>

#include "tests/api/world.h"

namespace atl::api {
namespace {

using testing::AllOf;
using testing::HasSubstr;

atollResult_t shrink(atollComm_t comm, std::vector<int> excluded, atollComm_t* made, int flags = ATOLL_SHRINK_DEFAULT) {
  return atollCommShrink(comm, excluded.data(), static_cast<int>(excluded.size()), made, nullptr, flags);
}

/// Every rank of the new communicator finds the others there: `old` are their ranks of before.
void expectOrder(World& world, const std::vector<int>& old) {
  world.run([&](int rank, atollComm_t comm) {
    std::vector<int> all(old.size());
    ASSERT_EQ(atollAllGather(&old[static_cast<std::size_t>(rank)], all.data(), 1, atollInt, comm, nullptr),
              atollSuccess)
        << lastError(comm);
    EXPECT_EQ(all, old);
  });
}

TEST(Shrink, LeavesOutWhoIsListed_AndTheParentAsItIs) {
  World world(5);
  std::vector<atollComm_t> parts(5);
  world.run([&](int rank, atollComm_t comm) {
    if (rank == 1 || rank == 3) return;
    ASSERT_EQ(shrink(comm, {3, 1}, &parts[static_cast<std::size_t>(rank)]), atollSuccess) << lastError();
  });
  World smaller({parts[0], parts[2], parts[4]});
  expectOrder(smaller, {0, 2, 4});
  expectOrder(world, {0, 1, 2, 3, 4});
  // And again, which is another communicator.
  smaller.run([&](int rank, atollComm_t comm) {
    if (rank == 0) return;
    ASSERT_EQ(shrink(comm, {0}, &parts[static_cast<std::size_t>(rank)]), atollSuccess) << lastError();
  });
  World smallest({parts[1], parts[2]});
  expectOrder(smallest, {2, 4});
}

TEST(Shrink, InAGroup_OneThreadShrinksForAllRanks) {
  World world(3);
  std::vector<atollComm_t> parts(2);
  ASSERT_EQ(atollGroupStart(), atollSuccess);
  for (int rank = 0; rank < 2; ++rank) {
    ASSERT_EQ(shrink(world[rank], {2}, &parts[static_cast<std::size_t>(rank)]), atollSuccess) << lastError();
  }
  ASSERT_EQ(atollGroupEnd(), atollSuccess) << lastError();
  World smaller(parts);
  expectOrder(smaller, {0, 1});
}

TEST(Shrink, FailedCommunicator_ShrinksWithItsFlagOnly) {
  World world(3);
  ASSERT_EQ(atollCommAbort(world[2]), atollSuccess);
  world[2] = nullptr;
  std::vector<atollComm_t> parts(2);
  world.run([&](int rank, atollComm_t comm) {
    if (rank == 2) return;
    for (atollResult_t state = atollSuccess; state == atollSuccess;) {  // until the notice is here
      ASSERT_EQ(atollCommGetAsyncError(comm, &state), atollSuccess);
    }
    atollComm_t& part = parts[static_cast<std::size_t>(rank)];
    EXPECT_EQ(shrink(comm, {2}, &part), atollAborted);
    EXPECT_EQ(part, nullptr);
    EXPECT_THAT(lastError(), AllOf(HasSubstr("only ATOLL_SHRINK_ABORT shrinks it then"), HasSubstr("rank 2")));
    ASSERT_EQ(shrink(comm, {2}, &part, ATOLL_SHRINK_ABORT), atollSuccess) << lastError();
  });
  World smaller(parts);
  expectOrder(smaller, {0, 1});
}

/// Rank 2 does not come; for each of the others one thread is in a call, and another one shrinks.
TEST(Shrink, Abort_EndsTheCallsUnderWay) {
  World world(3);
  std::vector<atollComm_t> parts(2);
  std::vector<atollResult_t> ended(2);
  std::latch calling(2);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 2; ++rank) {
    const auto at = static_cast<std::size_t>(rank);
    threads.emplace_back([&, rank, at] {
      int value = rank;
      calling.count_down();
      ended[at] = atollAllReduce(&value, &value, 1, atollInt, atollSum, world[rank], nullptr);
    });
    threads.emplace_back([&, rank, at] {
      calling.wait();
      ASSERT_EQ(shrink(world[rank], {2}, &parts[at], ATOLL_SHRINK_ABORT), atollSuccess) << lastError();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(ended, testing::Each(atollAborted));
  World smaller(parts);
  expectOrder(smaller, {0, 1});
  int value = 0;
  EXPECT_EQ(atollAllReduce(&value, &value, 1, atollInt, atollSum, world[0], nullptr), atollAborted);
}

TEST(Shrink, RanksThatLeaveOutOthers_FindOutInTime) {
  World parent(3);
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.bootstrapTimeout = 0.3;
  std::vector<atollComm_t> impatient(3);
  parent.run([&](int rank, atollComm_t comm) {
    ASSERT_EQ(atollCommSplit(comm, 0, 0, &impatient[static_cast<std::size_t>(rank)], &config), atollSuccess)
        << lastError();
  });
  World world(impatient);
  world.run([&](int rank, atollComm_t comm) {
    if (rank == 2) return;
    atollComm_t part = nullptr;
    EXPECT_EQ(shrink(comm, {rank == 0 ? 2 : 0}, &part), atollTimeout);
    EXPECT_THAT(lastError(), HasSubstr("shrinking to 2 of 3 ranks, which all have to leave out the same"));
    EXPECT_EQ(part, nullptr);
  });
}

TEST(Shrink, WrongArguments_AreNamed) {
  World world(3);
  atollComm_t part = nullptr;
  const auto refused = [&](std::vector<int> excluded, const char* why) {
    EXPECT_EQ(shrink(world[1], std::move(excluded), &part), atollInvalidArgument);
    EXPECT_EQ(lastError(), std::string("atollCommShrink: ") + why);
  };
  refused({}, "argument count is 0; it must be from 1 to 2, for the communicator has 3 ranks");
  refused({0, 1, 2}, "argument count is 3; it must be from 1 to 2, for the communicator has 3 ranks");
  refused({3}, "argument excluded lists 3, which is no rank of the communicator's 3");
  refused({-1}, "argument excluded lists -1, which is no rank of the communicator's 3");
  refused({2, 2}, "argument excluded lists rank 2 twice");
  refused({1}, "argument excluded lists rank 1, which is this one: ranks that are left out do not call");
  EXPECT_EQ(atollCommShrink(world[0], nullptr, 1, &part, nullptr, 0), atollInvalidArgument);
  EXPECT_EQ(lastError(), "atollCommShrink: argument excluded is NULL");
  const int one = 1;
  EXPECT_EQ(atollCommShrink(world[0], &one, 1, nullptr, nullptr, 0), atollInvalidArgument);
  EXPECT_EQ(atollCommShrink(world[0], &one, 1, &part, nullptr, 2), atollInvalidArgument);
  EXPECT_THAT(lastError(), HasSubstr("argument flags is 2"));
  EXPECT_EQ(atollCommShrink(forged<atollComm_t>(0x10), &one, 1, &part, nullptr, 0), atollInvalidArgument);
}

}  // namespace
}  // namespace atl::api
