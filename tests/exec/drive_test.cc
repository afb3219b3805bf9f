// SPDX-License-Identifier: Apache-2.0
// How a driver waits for what does not come: it sleeps, and is woken by what its executions name.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "src/exec/execution.h"

namespace atl {
namespace {

/// Done once `come` is set; counts how often it is asked.
class Awaiting final : public Execution {
 public:
  Result<bool> progress() override {
    looks.fetch_add(1);
    return come.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool moved() const override { return false; }
  [[nodiscard]] Patience patience() const override { return {}; }  // sleeps as soon as there is nothing
  void wanted(WakeSources& sources) const override {
    if (bell != nullptr) sources.add(*bell);
    if (descriptor >= 0) sources.descriptors.push_back({descriptor, POLLIN, 0});
  }
  void cancel(const Error&) override {}

  std::atomic<bool> come{false};
  std::atomic<int> looks{0};
  Bell* bell = nullptr;
  int descriptor = -1;
};

/// A bell that a peer has promised to ring.
struct PeersBell : Bell {
  PeersBell() : Bell{} { promiseToRing(*this); }
};

Status driveAll(std::initializer_list<Awaiting*> awaiting) {
  const std::vector<Execution*> executions(awaiting.begin(), awaiting.end());
  return drive(executions);
}

/// Waits for an announced sleep.
void awaitSleeper(const Bell& bell) {
  while (bell.asleep.load() == 0) std::this_thread::yield();
}

class LongWaits : public testing::Test {
 protected:
  void SetUp() override {
    if (!joinHeavyFences()) GTEST_SKIP() << "this kernel gives no membarrier(2)";
  }
};

TEST_F(LongWaits, RungForNothing_SleepsAgain) {
  PeersBell bell;
  Awaiting awaiting;
  awaiting.bell = &bell;
  std::thread peer([&] {
    for (int i = 0; i < 3; ++i) {
      awaitSleeper(bell);
      ring(bell);
    }
    awaitSleeper(bell);
    awaiting.come.store(true, std::memory_order_release);
    ring(bell);
  });
  EXPECT_TRUE(driveAll({&awaiting}).ok());
  peer.join();
  EXPECT_EQ(bell.asleep.load(), 0U);
}

TEST_F(LongWaits, WhatWakes_IsNotLookedForMeanwhile) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  PeersBell bell;
  for (const bool overMemory : {true, false}) {
    Awaiting awaiting;
    if (overMemory) {
      awaiting.bell = &bell;
    } else {
      awaiting.descriptor = ends[0];
    }
    const auto begin = Clock::now();
    std::thread peer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      awaiting.come.store(true, std::memory_order_release);
      if (overMemory) {
        ring(bell);
      } else {
        EXPECT_EQ(::write(ends[1], "x", 1), 1);
      }
    });
    EXPECT_TRUE(driveAll({&awaiting}).ok());
    peer.join();
    // Some twenty looks before the sleeps are as long as they get, and then two for each.
    EXPECT_LE(awaiting.looks.load(), 30 + seconds(Clock::now() - begin) * 50) << (overMemory ? "bell" : "socket");
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(LongWaits, TwoExecutions_EitherBellWakes) {
  PeersBell bells[2];
  Awaiting awaiting[2];
  awaiting[0].bell = &bells[0];
  awaiting[1].bell = &bells[1];
  std::thread peer([&] {
    for (const int i : {1, 0}) {
      awaitSleeper(bells[i]);
      awaiting[i].come.store(true, std::memory_order_release);
      ring(bells[i]);
    }
  });
  EXPECT_TRUE(driveAll({&awaiting[0], &awaiting[1]}).ok());
  peer.join();
}

TEST_F(LongWaits, PeerThatPromisedNothing_IsLookedFor) {
  Bell bell{};
  Awaiting awaiting;
  awaiting.bell = &bell;
  std::thread peer([&] {
    while (awaiting.looks.load() < 5) std::this_thread::yield();
    EXPECT_EQ(bell.asleep.load(), 0U);
    awaiting.come.store(true, std::memory_order_release);
  });
  EXPECT_TRUE(driveAll({&awaiting}).ok());
  peer.join();
}

TEST_F(LongWaits, SocketBesideMemory_BothAreSeen) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  PeersBell bell;
  Awaiting both;
  both.bell = &bell;
  both.descriptor = ends[0];
  std::thread peer([&] {
    while (both.looks.load() < 5) std::this_thread::yield();
    both.come.store(true, std::memory_order_release);  // as of memory: neither rung nor written
  });
  EXPECT_TRUE(driveAll({&both}).ok());
  peer.join();
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace atl
