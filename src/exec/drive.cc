// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "src/base/clock.h"
#include "src/base/futex.h"
#include "src/base/heavy_fence.h"
#include "src/base/pause.h"
#include "src/exec/execution.h"
#include "src/exec/spinning.h"

namespace atl {
namespace {

/// What a thread does while nothing moves: polls, then gives up its core at every turn, then sleeps. With more ranks
/// than cores it gives up the core at once, since the rank that it waits for may need that very core.
///
/// It sleeps until it is woken where everything that it waits for can do that: peers that ring its bells, or sockets.
/// In front of bells it first announces its sleep and leaves its executions one more look (bell.h). Between sockets and
/// memory, or for a link that is still to come, it sleeps in growing steps.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { withdraw(); }

  void moved() {
    idle_ = 0;
    since_.reset();
    withdraw();
  }

  void wait(std::span<Execution* const> executions) {
    // Asked anew each time: what an execution is at changes, and one thread that drives several ranks finds the next
    // one's turn at the next poll.
    Patience patience{.looks = true};
    for (const Execution* const execution : executions) {
      const Patience its = execution->patience();
      patience.polls = std::max(patience.polls, its.polls);
      patience.awake = std::max(patience.awake, its.awake);
      patience.looks = patience.looks && its.looks;
    }
    const int polls = spinning_.polls(patience);
    ++idle_;
    if (idle_ <= polls) {
      pauseCore();
      return;
    }
    const bool gives = !patience.looks || coreUse(executions) != CoreUse::own;
    if (gives && idle_ <= polls + kYieldsBeforeClock && patience.awake > Duration::zero()) {
      sched_yield();
      return;
    }
    const auto now = Clock::now();
    if (!since_) since_ = now;
    const auto waited = now - *since_;
    if (waited >= patience.awake) {
      rest(executions, waited);
    } else if (gives) {
      sched_yield();
    } else {
      idle_ = 0;  // and looks again after as many polls
    }
  }

 private:
  CoreUse coreUse(std::span<Execution* const> executions) {
    CoreUse use = CoreUse::own;
    for (Execution* const execution : executions) use = std::max(use, execution->coreUse());
    spinning_.found(use);
    return use;
  }

  static constexpr int kYieldsBeforeClock = 64;
  /// Of a sleep that something will end. The bounds are for what nothing here can: deadlines, news of aborts and
  /// deaths, slots that others hold for too long.
  static constexpr Duration kShortestSleep = std::chrono::milliseconds(1);
  static constexpr Duration kLongestSleep = std::chrono::milliseconds(50);
  /// Of a sleep after which one has to look.
  static constexpr Duration kShortestNap = std::chrono::microseconds(50);
  static constexpr Duration kLongestNap = std::chrono::milliseconds(10);

  void rest(std::span<Execution* const> executions, Duration waited) {
    const Duration sleep = std::clamp(waited, kShortestSleep, kLongestSleep);
    if (announced_) {
      wakeable_ = sleepWhile(sources_.bells(), 1, sleep);
      withdraw();
      return;
    }
    sources_.clear();
    for (const Execution* const execution : executions) execution->wanted(sources_);
    const bool looked = sources_.unheard() || !wakeable_;
    const bool rung = !sources_.bells().empty();
    if (rung && !looked && sources_.descriptors.empty()) return announce();
    const bool polled = !rung && !looked && !sources_.descriptors.empty();
    doze(polled ? sleep : std::clamp(waited / 16, kShortestNap, kLongestNap));
  }

  void announce() {
    for (FutexWord* const bell : sources_.bells()) bell->store(1, std::memory_order_relaxed);
    heavyFence();
    announced_ = true;
  }
  void withdraw() {
    if (!announced_) return;
    for (FutexWord* const bell : sources_.bells()) bell->store(0, std::memory_order_relaxed);
    announced_ = false;
  }

  void doze(Duration duration) {
    const timespec interval{0, static_cast<long>(std::chrono::nanoseconds(duration).count())};
    ppoll(sources_.descriptors.data(), sources_.descriptors.size(), &interval, nullptr);
  }

  Spinning& spinning_ = Spinning::ofThisThread();
  int idle_ = 0;
  std::optional<Clock::time_point> since_;  ///< the first look at the clock in this wait
  WakeSources sources_;                     ///< of the last rest
  bool announced_ = false;
  bool wakeable_ = true;  ///< as far as is known, this system can sleep on so many bells
};

Status driveOne(Execution& execution) {
  Execution* const one[] = {&execution};
  Waiter waiter;
  for (;;) {
    auto result = execution.progress();
    if (!result.ok()) return std::move(result).error();
    if (result.value()) return success();
    if (execution.moved()) {
      waiter.moved();
    } else {
      waiter.wait(one);
    }
  }
}

Status driveMany(std::span<Execution* const> executions) {
  std::vector<Execution*> under(executions.begin(), executions.end());
  std::erase(under, nullptr);
  Waiter waiter;
  while (!under.empty()) {
    bool moved = false;
    for (std::size_t i = 0; i < under.size();) {
      auto result = under[i]->progress();
      if (!result.ok()) {
        for (std::size_t k = 0; k < under.size(); ++k) {
          if (k != i) under[k]->cancel(result.error());
        }
        return std::move(result).error();
      }
      if (result.value()) {
        under[i] = under.back();
        under.pop_back();
        moved = true;
      } else {
        moved |= under[i]->moved();
        ++i;
      }
    }
    if (moved) {
      waiter.moved();
    } else {
      waiter.wait(under);
    }
  }
  return success();
}

}  // namespace

Status drive(std::span<Execution* const> executions) {
  if (executions.size() == 1 && executions[0] != nullptr) return driveOne(*executions[0]);
  return driveMany(executions);
}

}  // namespace atl
