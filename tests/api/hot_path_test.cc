// SPDX-License-Identifier: Apache-2.0
// Repeated groups and calls allocate nothing.
#include <gtest/gtest.h>

#include <barrier>
#include <thread>
#include <vector>

#include "atoll/atoll.h"
#include "tests/support/allocation_counter.h"

namespace atl::api {
namespace {

TEST(ApiHotPath, RepeatedExchangeInAGroup_AllocatesNothing) {
  constexpr int kRanks = 2;
  std::vector<atollComm_t> comms(kRanks);
  ASSERT_EQ(atollCommInitAll(comms.data(), kRanks), atollSuccess);
  std::barrier together(kRanks);
  const auto run = [&](int rank) {
    const atollComm_t comm = comms[static_cast<std::size_t>(rank)];
    std::vector<float> out(1000, static_cast<float>(rank));
    std::vector<float> in(1000);
    const auto exchange = [&](std::size_t count) {
      EXPECT_EQ(atollGroupStart(), atollSuccess);
      EXPECT_EQ(atollSend(out.data(), count, atollFloat, 1 - rank, comm, nullptr), atollSuccess);
      EXPECT_EQ(atollRecv(in.data(), count, atollFloat, 1 - rank, comm, nullptr), atollSuccess);
      EXPECT_EQ(atollGroupEnd(), atollSuccess);
      EXPECT_EQ(in[count - 1], static_cast<float>(1 - rank));
    };
    const auto sum = [&] {
      EXPECT_EQ(atollGroupStart(), atollSuccess);
      EXPECT_EQ(atollAllReduce(out.data(), in.data(), 2, atollFloat, atollSum, comm, nullptr), atollSuccess);
      EXPECT_EQ(atollGroupEnd(), atollSuccess);
    };
    for (const std::size_t count : {1U, 1000U}) {
      for (int i = 0; i < 3; ++i) {
        exchange(count);
        sum();
      }
      together.arrive_and_wait();
      if (rank == 0) test::startCountingAllocations();
      together.arrive_and_wait();
      for (int i = 0; i < 20; ++i) {
        exchange(count);
        sum();
      }
      together.arrive_and_wait();
      const long counted = rank == 0 ? test::stopCountingAllocations() : 0;
      EXPECT_EQ(counted, 0) << count;
      together.arrive_and_wait();
    }
  };
  std::thread other(run, 1);
  run(0);
  other.join();
  for (const atollComm_t comm : comms) EXPECT_EQ(atollCommDestroy(comm), atollSuccess);
}

TEST(ApiHotPath, CommunicatorsCreation_IsSeenByTheCounter) {
  test::startCountingAllocations();
  atollComm_t comm = nullptr;
  EXPECT_EQ(atollCommInitAll(&comm, 1), atollSuccess);
  EXPECT_GT(test::stopCountingAllocations(), 0);
  EXPECT_EQ(atollCommDestroy(comm), atollSuccess);
}

}  // namespace
}  // namespace atl::api
