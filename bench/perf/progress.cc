// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace atl::perf {
namespace {

std::string clockText(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string bytesText(std::uint64_t bytes) {
  static constexpr char kUnits[] = {'K', 'M', 'G'};
  std::string text = fmt::format("{}", bytes);
  for (const char unit : kUnits) {
    if (bytes == 0 || bytes % 1024 != 0) break;
    bytes /= 1024;
    text = fmt::format("{}{}", bytes, unit);
  }
  return text;
}

/// Sizes below this cost about the same: what they cost is latency.
constexpr double kLatencyBytes = 64 * 1024;

double weight(std::uint64_t bytes) {
  return static_cast<double>(bytes) + kLatencyBytes;
}

}  // namespace

void Estimate::finished(double seconds) {
  lastSeconds_ = seconds;
  done_ = std::min(done_ + 1, sizes_.size());
}

double Estimate::secondsLeft() const {
  if (done_ == 0) return 0;
  double left = 0;
  for (std::size_t i = done_; i < sizes_.size(); ++i) left += weight(sizes_[i]);
  return left / weight(sizes_[done_ - 1]) * lastSeconds_;
}

std::string progressText(std::uint64_t bytes, const Estimate& estimate, double secondsGone) {
  std::string text =
      fmt::format("size {}, {} of {}, {} gone", bytesText(bytes), std::min(estimate.done() + 1, estimate.total()),
                  estimate.total(), clockText(secondsGone));
  if (estimate.done() > 0) text += fmt::format(", about {} left", clockText(estimate.secondsLeft()));
  return text;
}

Progress::Progress(std::vector<std::uint64_t> sizes)
    : estimate_(std::move(sizes)), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::begin(std::uint64_t bytes) {
  sizeStart_ = Clock::now();
  if (!terminal_) return;
  const double gone = std::chrono::duration<double>(sizeStart_ - start_).count();
  if (gone < 1) return;  // a short sweep needs no such line
  fmt::print(stderr, "\r\033[K{}", progressText(bytes, estimate_, gone));
  std::fflush(stderr);
  shown_ = true;
}

void Progress::finish() {
  estimate_.finished(std::chrono::duration<double>(Clock::now() - sizeStart_).count());
  erase();
}

void Progress::erase() {
  if (!shown_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace atl::perf
