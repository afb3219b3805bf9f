// SPDX-License-Identifier: Apache-2.0
// A line on the terminal that says how far a long command has come; nothing where standard error is no terminal.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "src/base/clock.h"

namespace atl::tools {

class ProgressLine {
 public:
  ProgressLine() : shown_(::isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Redraws at most ten times a second. `fraction` is of the whole, 0 to 1.
  void update(double fraction, std::string_view doing) {
    if (!shown_) return;
    const Clock::time_point now = Clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    constexpr int kWidth = 30;
    const int full = static_cast<int>(fraction * kWidth);
    fmt::print(stderr, "\r\033[K[{:=<{}}{: <{}}] {:3.0f}%  {}", "", full, "", kWidth - full, fraction * 100, doing);
    std::fflush(stderr);
    dirty_ = true;
  }

  /// Takes the line away, for other output.
  void clear() {
    if (!dirty_) return;
    fmt::print(stderr, "\r\033[K");
    std::fflush(stderr);
    dirty_ = false;
  }

 private:
  bool shown_;
  bool dirty_ = false;
  Clock::time_point drawn_{};
};

}  // namespace atl::tools
