// SPDX-License-Identifier: Apache-2.0
// One line on standard error that says how far a long sweep is, when a person is there to see it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace atl::perf {

/// What is left to do, judged from what was done: a size takes in proportion to its bytes, but never less than a fixed
/// part. Pure; the clock is the caller's.
class Estimate {
 public:
  explicit Estimate(std::vector<std::uint64_t> sizes) : sizes_(std::move(sizes)) {}
  /// Size number `done()` took so long.
  void finished(double seconds);
  [[nodiscard]] std::size_t done() const { return done_; }
  [[nodiscard]] std::size_t total() const { return sizes_.size(); }
  /// Seconds for the rest; 0 before the first size is finished.
  [[nodiscard]] double secondsLeft() const;

 private:
  std::vector<std::uint64_t> sizes_;
  std::size_t done_ = 0;
  double lastSeconds_ = 0;
};

/// "size 4M, 12 of 24, 0:07 gone, about 0:31 left".
std::string progressText(std::uint64_t bytes, const Estimate& estimate, double secondsGone);

/// Writes the line in place, if standard error is a terminal and the sweep has run for a moment; erases it before other
/// output. Does nothing otherwise.
class Progress {
 public:
  /// `sizes`: every measurement of the sweep, in order.
  explicit Progress(std::vector<std::uint64_t> sizes);
  ~Progress() { erase(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin(std::uint64_t bytes);
  void finish();
  void erase();

 private:
  using Clock = std::chrono::steady_clock;
  Estimate estimate_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point sizeStart_ = start_;
  bool terminal_;
  bool shown_ = false;
};

}  // namespace atl::perf
