// SPDX-License-Identifier: Apache-2.0
#include "src/base/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace atl {
namespace {

timespec timespecOf(Duration duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {static_cast<time_t>(whole.count()), static_cast<long>(std::chrono::nanoseconds(duration - whole).count())};
}

// None of these words is private to the process: the kernel must look up where the memory really is.

void sleepOnOne(FutexWord& word, std::uint32_t value, Duration limit) {
  const timespec left = timespecOf(limit);
  ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &left, nullptr, 0);
}

bool sleepOnSeveral(std::span<FutexWord* const> words, std::uint32_t value, Duration limit) {
  futex_waitv waits[kMostFutexWords];
  for (std::size_t i = 0; i < words.size(); ++i) {
    waits[i] = {};
    waits[i].val = value;
    waits[i].uaddr = reinterpret_cast<std::uintptr_t>(words[i]);
    waits[i].flags = FUTEX_32;
  }
  // This call wants to know when, not for how long; steady_clock is CLOCK_MONOTONIC.
  const timespec until = timespecOf((Clock::now() + limit).time_since_epoch());
  const long result = ::syscall(SYS_futex_waitv, waits, words.size(), 0, &until, CLOCK_MONOTONIC);
  return result >= 0 || errno == EAGAIN || errno == EINTR || errno == ETIMEDOUT;
}

}  // namespace

bool sleepWhile(std::span<FutexWord* const> words, std::uint32_t value, Duration limit) {
  if (words.empty() || words.size() > kMostFutexWords) return false;
  if (words.size() > 1) return sleepOnSeveral(words, value, limit);
  sleepOnOne(*words[0], value, limit);
  return true;
}

void wakeSleepers(FutexWord& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace atl
