// SPDX-License-Identifier: Apache-2.0
// Monotonic time and deadlines. Every wait in Atoll takes a Deadline; there is no infinite one by accident.
#pragma once

#include <chrono>

namespace atl {

using Clock = std::chrono::steady_clock;
using Duration = Clock::duration;

/// A point in time after which a wait gives up.
class Deadline {
 public:
  /// `never()` is for a user who asked for no limit (ATOLL_TIMEOUT=0) and says so.
  static Deadline never() { return Deadline(Clock::time_point::max()); }
  static Deadline in(Duration d) { return Deadline(Clock::now() + d); }
  static Deadline inSeconds(double s) {
    return s <= 0 ? never() : in(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s)));
  }

  [[nodiscard]] bool passed() const { return at_ != Clock::time_point::max() && Clock::now() >= at_; }
  [[nodiscard]] bool isNever() const { return at_ == Clock::time_point::max(); }
  [[nodiscard]] Clock::time_point at() const { return at_; }

  /// Milliseconds left for poll(2): at least 0, at most `cap`; `cap` when there is no limit.
  [[nodiscard]] int pollMilliseconds(int cap) const {
    if (isNever()) return cap;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
    return static_cast<int>(left < 0 ? 0 : (left > cap ? cap : left));
  }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  Clock::time_point at_;
};

/// Seconds as a double, for texts and formulas.
inline double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace atl
