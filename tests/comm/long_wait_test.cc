// SPDX-License-Identifier: Apache-2.0
// Ranks that wait long for another one, as threads: they sleep, and hear of what ends the wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/asleep.h"
#include "tests/support/rank_threads.h"
#include "tests/support/usage.h"

namespace atl {
namespace {

Status sum(Communicator& communicator, std::vector<float>& buffer) {
  Call call;
  call.collective = Collective::allReduce;
  call.send = call.recv = buffer.data();
  call.count = buffer.size();
  return communicator.run(call);
}

/// By number of elements: one that is written out flat, one that is not.
class LongWait : public testing::TestWithParam<std::size_t> {
 protected:
  static constexpr Rank kRanks = 3;
  /// Links are made, so that the wait is for messages.
  LongWait() {
    test::onThreads(kRanks, [&](Rank r) { EXPECT_TRUE(call(r).ok()); });
  }
  Status call(Rank rank) {
    std::vector<float> buffer(GetParam(), 1.0F);
    return sum(*communicators_[static_cast<std::size_t>(rank)], buffer);
  }
  std::vector<std::unique_ptr<Communicator>> communicators_ = test::communicators(kRanks, test::testSettings());
};

TEST_P(LongWait, ForALateRank_UsesNoCore) {
  constexpr auto kLate = std::chrono::milliseconds(600);
  test::onThreads(kRanks, [&](Rank r) {
    if (r == 0) std::this_thread::sleep_for(kLate);
    const auto before = test::Usage::now(RUSAGE_THREAD);
    EXPECT_TRUE(call(r).ok());
    const auto used = test::Usage::now(RUSAGE_THREAD) - before;
    // On the way from the last to sleep to the first to wake is real work, more so under a sanitizer.
    if (r != 0 && GetParam() < 100) {
      EXPECT_TRUE(used.isOfAWait()) << used.cpu << " s of a core and " << used.sleeps << " sleeps in " << used.seconds
                                    << " s";
    }
  });
}

TEST_P(LongWait, AbortDuringIt_EndsTheCallOfThoseAsleep) {
  std::array<std::atomic<pid_t>, kRanks> threads{};
  std::thread aborter([&] {
    for (const Rank r : {0, 1}) {
      auto& thread = threads[static_cast<std::size_t>(r)];
      while (thread.load() == 0) std::this_thread::yield();
      test::awaitAsleep(::getpid(), thread.load());
    }
    communicators_[2]->abort();
  });
  test::onThreads(kRanks, [&](Rank r) {
    if (r == 2) return;
    threads[static_cast<std::size_t>(r)].store(::gettid());
    const Status status = call(r);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::aborted);
    EXPECT_THAT(status.error().text, testing::HasSubstr("rank 2"));
  });
  aborter.join();
}

INSTANTIATE_TEST_SUITE_P(Elements, LongWait, testing::Values(1, 300000), testing::PrintToStringParamName());

}  // namespace
}  // namespace atl
