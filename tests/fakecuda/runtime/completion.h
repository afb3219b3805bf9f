// SPDX-License-Identifier: Apache-2.0
// The end of a piece of work, for which others wait.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

namespace fakecuda {

class Completion {
 public:
  /// Everything that the finishing thread did before is seen by those who find it finished.
  void finish() {
    when_ = std::chrono::steady_clock::now();
    finished_.store(true, std::memory_order_release);
    finished_.notify_all();
  }

  [[nodiscard]] bool finished() const { return finished_.load(std::memory_order_acquire); }
  void wait() const { finished_.wait(false, std::memory_order_acquire); }

  /// When it finished; only once it has.
  [[nodiscard]] std::chrono::steady_clock::time_point when() const { return when_; }

 private:
  std::atomic<bool> finished_{false};
  std::chrono::steady_clock::time_point when_;
};

using CompletionPtr = std::shared_ptr<Completion>;

}  // namespace fakecuda
