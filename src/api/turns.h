// SPDX-License-Identifier: Apache-2.0
// The order of one communicator's calls when some of them run on streams: each takes a ticket when it is made and waits
// for its turn when it runs.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace atl::api {

class Turns {
 public:
  /// The next turn, in the order of the calls. Called by whoever holds the communicator's claim.
  std::uint64_t take() { return issued_.fetch_add(1, std::memory_order_relaxed) + 1; }

  /// True when every turn taken is finished: a call may run at once, without a turn of its own.
  [[nodiscard]] bool idle() const {
    return finished_.load(std::memory_order_acquire) == issued_.load(std::memory_order_relaxed);
  }

  /// Waits until every earlier turn is finished. Bounded: each of those has a time limit of its own.
  void await(std::uint64_t ticket) { waitFor(ticket - 1); }

  /// Ends the turn that is under way.
  void finish() {
    {
      const std::scoped_lock lock(mutex_);
      finished_.fetch_add(1, std::memory_order_release);
    }
    changed_.notify_all();
  }

  /// Waits until every turn taken so far is finished.
  void drain() {
    if (!idle()) waitFor(issued_.load(std::memory_order_relaxed));
  }

 private:
  void waitFor(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finished_.load(std::memory_order_acquire) >= count; });
  }

  std::atomic<std::uint64_t> issued_{0};
  std::atomic<std::uint64_t> finished_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// One turn, taken at construction. It is finished at the latest when this goes, after all earlier ones.
class Turn {
 public:
  explicit Turn(Turns& turns) : turns_(&turns), ticket_(turns.take()) {}
  Turn(Turn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), ticket_(other.ticket_) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (turns_ == nullptr) return;
    turns_->await(ticket_);
    turns_->finish();
  }

  void await() { turns_->await(ticket_); }

 private:
  Turns* turns_;
  std::uint64_t ticket_;
};

}  // namespace atl::api
