// SPDX-License-Identifier: Apache-2.0
// Sleeping until a peer rings: no ring is missed, in a process and between processes.
#include "transports/bell.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <new>
#include <thread>
#include <vector>

namespace atl {
namespace {

/// A sleeper that is not rung for so long was forgotten.
constexpr auto kForgotten = std::chrono::seconds(60);

/// Two ends that take turns. Each sleeps until the other has counted on.
struct Table {
  struct alignas(128) Side {
    std::atomic<int> count;
    Bell bell;
  };
  Side sides[2];
};

/// What a rank does in a long wait. False if nobody rang. A sleep may end early: whoever rang for an earlier turn may
/// be slow to wake a sleeper that had seen the ring by itself.
bool sleepUntilCounted(Table::Side& mine, const Table::Side& theirs, int wanted) {
  const auto there = [&] { return theirs.count.load(std::memory_order_acquire) >= wanted; };
  while (!there()) {
    mine.bell.asleep.store(1, std::memory_order_relaxed);
    heavyFence();
    if (!there()) {
      FutexWord* const words[] = {&mine.bell.asleep};
      const auto begin = Clock::now();
      if (!sleepWhile(words, 1, kForgotten) || Clock::now() - begin >= kForgotten) return false;
    }
    mine.bell.asleep.store(0, std::memory_order_relaxed);
  }
  return true;
}

/// Side 0 leads each turn, side 1 answers. True if no ring was missed.
bool takeTurns(Table& table, int side, int turns) {
  Table::Side& mine = table.sides[side];
  Table::Side& theirs = table.sides[1 - side];
  for (int turn = 1; turn <= turns; ++turn) {
    if (side == 1 && !sleepUntilCounted(mine, theirs, turn)) return false;
    mine.count.store(turn, std::memory_order_release);
    ring(theirs.bell);
    if (side == 0 && !sleepUntilCounted(mine, theirs, turn)) return false;
  }
  return true;
}

class Bells : public testing::Test {
 protected:
  void SetUp() override {
    if (!joinHeavyFences()) GTEST_SKIP() << "this kernel gives no membarrier(2)";
  }
  static constexpr int kTurns = 20000;
};

TEST_F(Bells, BetweenThreads_NoRingIsMissed) {
  Table table{};
  bool other = false;
  std::thread thread([&] { other = takeTurns(table, 1, kTurns); });
  EXPECT_TRUE(takeTurns(table, 0, kTurns));
  thread.join();
  EXPECT_TRUE(other);
}

TEST_F(Bells, BetweenProcesses_NoRingIsMissed) {
  void* const shared = ::mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* const table = new (shared) Table{};
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(takeTurns(*table, 1, kTurns) ? 0 : 1);
  EXPECT_TRUE(takeTurns(*table, 0, kTurns));
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  ::munmap(shared, sizeof(Table));
}

TEST_F(Bells, SeveralBells_AnyOfThemWakes) {
  constexpr std::size_t kBells = 5;
  Bell bells[kBells] = {};
  FutexWord* words[kBells];
  for (std::size_t i = 0; i < kBells; ++i) words[i] = &bells[i].asleep;
  for (Bell& chosen : bells) {
    for (Bell& bell : bells) bell.asleep.store(1);
    std::thread ringer([&] { ring(chosen); });
    if (!sleepWhile(words, 1, kForgotten)) {
      ringer.join();
      GTEST_SKIP() << "this kernel cannot sleep on several words (futex_waitv, Linux 5.16)";
    }
    EXPECT_EQ(chosen.asleep.load(), 0U);
    ringer.join();
  }
}

TEST(SleepWhile, AnotherValue_DoesNotSleep) {
  FutexWord zero{0};
  FutexWord one{1};
  FutexWord* const single[] = {&zero};
  EXPECT_TRUE(sleepWhile(single, 1, std::chrono::hours(1)));
  FutexWord* const several[] = {&one, &zero};
  sleepWhile(several, 1, std::chrono::hours(1));
}

TEST(SleepWhile, MoreWordsThanTheKernelTakes_AreRefused) {
  std::vector<FutexWord> words(kMostFutexWords + 1);
  std::vector<FutexWord*> pointers;
  for (FutexWord& word : words) pointers.push_back(&word);
  EXPECT_FALSE(sleepWhile(pointers, 0, std::chrono::hours(1)));
}

}  // namespace
}  // namespace atl
