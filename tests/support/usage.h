// SPDX-License-Identifier: Apache-2.0
// What a thread or process has used of its cores, as the kernel counts it.
#pragma once

#include <sys/resource.h>

#include <chrono>

namespace atl::test {

struct Usage {
  double seconds = 0;  ///< of the clock
  double cpu = 0;      ///< seconds of a core
  long sleeps = 0;     ///< times that it gave up its core to wait for something

  /// `who` is RUSAGE_THREAD or RUSAGE_SELF.
  static Usage now(int who) {
    rusage usage{};
    ::getrusage(who, &usage);
    const auto clock = std::chrono::steady_clock::now().time_since_epoch();
    const auto time = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return {std::chrono::duration<double>(clock).count(), time(usage.ru_utime) + time(usage.ru_stime), usage.ru_nvcsw};
  }
  friend Usage operator-(const Usage& a, const Usage& b) {
    return {a.seconds - b.seconds, a.cpu - b.cpu, a.sleeps - b.sleeps};
  }

  /// Whether somebody who only had to wait used so much: little of a core, and not by looking every millisecond. The
  /// margins are wide: what is meant uses a hundredth of them.
  [[nodiscard]] bool isOfAWait() const { return isWithin(50, 200); }
  /// Likewise of somebody who was woken, and looked for himself every 50 ms at the end.
  [[nodiscard]] bool isOfASleep() const { return isWithin(40, 40); }

 private:
  [[nodiscard]] bool isWithin(double sleepsOnce, double sleepsASecond) const {
    return cpu <= 0.2 * seconds && static_cast<double>(sleeps) <= sleepsOnce + sleepsASecond * seconds;
  }
};

}  // namespace atl::test
