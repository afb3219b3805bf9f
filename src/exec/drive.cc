// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "src/base/clock.h"
#include "src/base/pause.h"
#include "src/exec/execution.h"

namespace atl {
namespace {

/// What a thread does while nothing moves: polls, then gives up its core at every turn, then sleeps in growing steps
/// (in poll(2) where sockets can wake it). With more ranks than cores it gives up the core at once, since the rank that
/// it waits for may need that very core.
class Waiter {
 public:
  void moved() {
    idle_ = 0;
    since_.reset();
  }

  void wait(std::span<Execution* const> executions) {
    // Asked anew each time: what an execution is at changes, and one thread that drives several ranks finds the next
    // one's turn at the next poll.
    int spin = 0;
    for (const Execution* const execution : executions) spin = std::max(spin, execution->spin());
    ++idle_;
    if (idle_ <= spin) {
      pauseCore();
      return;
    }
    if (idle_ <= spin + kYieldsBeforeClock) {
      sched_yield();
      return;
    }
    const auto now = Clock::now();
    if (!since_) since_ = now;
    const auto waited = now - *since_;
    if (waited < kYieldFor) {
      sched_yield();
    } else {
      sleep(executions, std::clamp(waited / 16, kShortestSleep, kLongestSleep));
    }
  }

 private:
  static constexpr int kYieldsBeforeClock = 64;
  static constexpr Duration kYieldFor = std::chrono::milliseconds(4);
  static constexpr Duration kShortestSleep = std::chrono::microseconds(50);
  static constexpr Duration kLongestSleep = std::chrono::milliseconds(1);

  void sleep(std::span<Execution* const> executions, Duration duration) {
    fds_.clear();
    for (const Execution* const execution : executions) {
      execution->wanted(fds_);
    }
    const timespec interval{0, static_cast<long>(std::chrono::nanoseconds(duration).count())};
    ppoll(fds_.data(), fds_.size(), &interval, nullptr);
  }

  int idle_ = 0;
  std::optional<Clock::time_point> since_;  ///< the first look at the clock in this wait
  std::vector<pollfd> fds_;
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
