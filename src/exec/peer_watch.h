// SPDX-License-Identifier: Apache-2.0
// What is known to have gone wrong on a communicator. Written by the service thread and by abort(); read by every wait.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_set>

#include "src/base/result.h"
#include "src/base/types.h"

namespace atl {

class PeerWatch {
 public:
  /// Ends the communicator with an error; the first one stays. Returns whether this was the first.
  bool fail(Error error) {
    const std::scoped_lock lock(mutex_);
    if (failed_.load(std::memory_order_relaxed)) return false;
    error_ = std::move(error);
    failed_.store(true, std::memory_order_release);
    return true;
  }
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }
  /// Success, or the error that ended the communicator.
  [[nodiscard]] Status status() const {
    if (!failed_.load(std::memory_order_acquire)) return success();
    const std::scoped_lock lock(mutex_);
    return error_;
  }

  /// A rank has destroyed its communicator: what it sent before still counts, nothing more will come.
  void left(Rank rank) {
    const std::scoped_lock lock(mutex_);
    left_.insert(rank);
    anyLeft_.store(true, std::memory_order_release);
  }
  [[nodiscard]] bool hasLeft(Rank rank) const {
    if (!anyLeft_.load(std::memory_order_acquire)) return false;
    const std::scoped_lock lock(mutex_);
    return left_.contains(rank);
  }

 private:
  mutable std::mutex mutex_;
  std::atomic<bool> failed_{false};
  std::atomic<bool> anyLeft_{false};
  Error error_;
  std::unordered_set<Rank> left_;
};

}  // namespace atl
