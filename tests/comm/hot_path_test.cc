// SPDX-License-Identifier: Apache-2.0
// A repeated call allocates nothing: this program counts every allocation it makes.
#include <gtest/gtest.h>

#include <barrier>
#include <vector>

#include "tests/support/allocation_counter.h"
#include "tests/support/rank_threads.h"

namespace atl {
namespace {

TEST(HotPath, RepeatedCalls_AllocateNothing) {
  constexpr Rank kRanks = 3;
  Settings settings = test::testSettings();
  settings.spin = 1 << 20;  // long waits sleep in poll(2), which is not what is measured here
  auto communicators = test::communicators(kRanks, settings);
  std::barrier together(kRanks);
  test::onThreads(kRanks, [&](Rank r) {
    auto& communicator = *communicators[static_cast<std::size_t>(r)];
    std::vector<std::vector<float>> buffers;
    for (const std::size_t count : {2U, 1000U, 300000U}) buffers.emplace_back(count, 1.0F);
    const auto callAll = [&] {
      for (auto& buffer : buffers) {
        Call call;
        call.collective = Collective::allReduce;
        call.op.op = ReduceOp::max;
        call.send = call.recv = buffer.data();
        call.count = buffer.size();
        call.type = DataType::float32;
        EXPECT_TRUE(communicator.run(call).ok());
      }
    };
    for (int i = 0; i < 3; ++i) callAll();
    together.arrive_and_wait();
    if (r == 0) test::startCountingAllocations();
    together.arrive_and_wait();
    for (int i = 0; i < 10; ++i) callAll();
    together.arrive_and_wait();
    if (r != 0) return;
    EXPECT_EQ(test::stopCountingAllocations(), 0);
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
