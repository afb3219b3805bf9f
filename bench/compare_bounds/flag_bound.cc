// SPDX-License-Identifier: Apache-2.0
#include "bench/compare_bounds/flag_bound.h"

#include <algorithm>
#include <atomic>

#include "src/base/clock.h"

namespace atl::perf {
namespace {

/// Short rounds, and many of them: some are not interrupted even on a busy machine.
constexpr std::uint32_t kRoundTrips = 500;
constexpr int kRoundsOfRepetition = 40;

/// On a line of its own, or the two flags would travel together.
struct alignas(128) Flag {
  std::atomic<std::uint32_t> value{0};
};

void await(const Flag& flag, std::uint32_t value) {
  while (flag.value.load(std::memory_order_acquire) != value) {
  }
}

}  // namespace

std::optional<double> measureFlagRoundTrip(const std::vector<int>& cores, int repetitions) {
  if (cores.size() < 2) return std::nullopt;
  Flag there;
  Flag back;
  double best = 0;
  onEachCore({cores[0], cores[1]}, [&](std::size_t side) {
    std::uint32_t turn = 0;
    for (int r = 0; r < repetitions * kRoundsOfRepetition; ++r) {
      const auto start = Clock::now();
      for (std::uint32_t i = 0; i < kRoundTrips; ++i) {
        ++turn;
        if (side == 0) {
          there.value.store(turn, std::memory_order_release);
          await(back, turn);
        } else {
          await(there, turn);
          back.value.store(turn, std::memory_order_release);
        }
      }
      const double once = seconds(Clock::now() - start) / kRoundTrips;
      if (side == 0) best = r == 0 ? once : std::min(best, once);
    }
  });
  return best;
}

}  // namespace atl::perf
