// SPDX-License-Identifier: Apache-2.0
#include "src/comm/lookout.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace atl {
namespace {

std::unique_ptr<Lookout::Post> post(std::function<bool()> look) {
  return Lookout::post(std::move(look)).value();
}

/// Until the value is there: tests that would fail hang.
void await(const std::atomic<int>& value, int wanted) {
  for (int is = value.load(); is != wanted; is = value.load()) value.wait(is);
}

TEST(Lookout, LooksFromBeginOnUntilThereIsNothingMoreToSee) {
  std::atomic<int> looks{0};
  const auto watched = post([&] {
    const int now = ++looks;
    looks.notify_all();
    return now % 3 != 0;
  });
  EXPECT_EQ(looks, 0);
  watched->begin();
  await(looks, 3);
  // Another one is looked after meanwhile, so the thread goes round.
  std::atomic<int> others{0};
  const auto other = post([&] {
    ++others;
    others.notify_all();
    return others < 5;
  });
  other->begin();
  await(others, 5);
  EXPECT_EQ(looks, 3);
  watched->begin();
  await(looks, 6);
}

TEST(Lookout, BeginThatALookIsTooEarlyFor_IsSeen) {
  std::latch looking(1);
  std::latch begun(1);
  std::atomic<int> looks{0};
  const auto watched = post([&] {
    const bool first = looks == 0;
    if (first) {
      looking.count_down();
      begun.wait();
    }
    ++looks;
    looks.notify_all();
    return false;
  });
  watched->begin();
  looking.wait();
  watched->begin();
  begun.count_down();
  await(looks, 2);
}

TEST(Lookout, EndOfAPost_WaitsForItsLook) {
  std::latch looking(1);
  std::latch ending(1);
  std::atomic<bool> looked{false};
  auto watched = post([&] {
    looking.count_down();
    ending.wait();
    looked = true;
    return true;
  });
  watched->begin();
  looking.wait();
  std::thread releaser([&] { ending.count_down(); });
  watched.reset();
  EXPECT_TRUE(looked);
  releaser.join();
}

}  // namespace
}  // namespace atl
