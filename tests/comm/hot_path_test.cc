// SPDX-License-Identifier: Apache-2.0
// A repeated call allocates nothing: this program counts every allocation it makes.
#include <gtest/gtest.h>

#include <barrier>
#include <functional>
#include <string_view>
#include <vector>

#include "tests/support/allocation_counter.h"
#include "tests/support/rank_threads.h"

namespace atl {
namespace {

constexpr Rank kRanks = 3;

/// `callsOf` gives what a rank does over and over; none of it allocates but for the first few times.
void expectNoAllocations(std::string_view algorithms,
                         const std::function<std::function<Status(Communicator&)>()>& callsOf) {
  Settings settings = test::testSettings();
  settings.algorithms = algorithms;
  settings.spin = 1 << 20;  // long waits sleep in poll(2), which is not what is measured here
  auto communicators = test::communicators(kRanks, settings);
  std::barrier together(kRanks);
  test::onThreads(kRanks, [&](Rank r) {
    auto& communicator = *communicators[static_cast<std::size_t>(r)];
    const auto callAll = callsOf();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(callAll(communicator).ok());
    together.arrive_and_wait();
    if (r == 0) test::startCountingAllocations();
    together.arrive_and_wait();
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(callAll(communicator).ok());
    together.arrive_and_wait();
    if (r != 0) return;
    EXPECT_EQ(test::stopCountingAllocations(), 0);
  });
}

TEST(HotPath, RepeatedCalls_AllocateNothing) {
  expectNoAllocations("", [] {
    std::vector<std::vector<float>> buffers;
    for (const std::size_t count : {2U, 1000U, 300000U}) buffers.emplace_back(count, 1.0F);
    return [buffers](Communicator& communicator) mutable -> Status {
      for (auto& buffer : buffers) {
        Call call;
        call.collective = Collective::allReduce;
        call.op.op = ReduceOp::max;
        call.send = call.recv = buffer.data();
        call.count = buffer.size();
        call.type = DataType::float32;
        ATOLL_TRY(communicator.run(call));
      }
      return success();
    };
  });
}

// Bruck's all-to-all takes equal blocks only, so these blocks go in heads and tails.
TEST(HotPath, RepeatedAllToAllsInHeadsAndTails_AllocateNothing) {
  expectNoAllocations("alltoall:bruck", [] {
    const std::vector<std::size_t> counts(kRanks, 5000);
    const std::vector<std::size_t> displs{0, 5000, 10000};
    std::vector<float> received(15000);
    return [=, sent = received](Communicator& communicator) mutable {
      Call call;
      call.collective = Collective::allToAll;
      call.vForm = true;
      call.type = DataType::float32;
      call.send = sent.data();
      call.recv = received.data();
      call.sendCounts = call.recvCounts = counts.data();
      call.sendDispls = call.recvDispls = displs.data();
      return communicator.run(call);
    };
  });
}

TEST(HotPath, FirstCall_IsSeenByTheCounter) {
  auto communicators = test::communicators(1, test::testSettings());
  float value = 1;
  Call call;
  call.collective = Collective::allReduce;
  call.send = call.recv = &value;
  call.count = 1;
  call.type = DataType::float32;
  test::startCountingAllocations();
  EXPECT_TRUE(communicators[0]->run(call).ok());
  EXPECT_GT(test::stopCountingAllocations(), 0);
}

}  // namespace
}  // namespace atl
