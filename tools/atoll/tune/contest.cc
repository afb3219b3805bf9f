// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/tune/contest.h"

#include <algorithm>
#include <array>

namespace atl::tools {
namespace {

/// After each heat but the last, who took this many times as long as the best is out. The first heat's few samples can
/// mislead by much, and an algorithm that takes twice as long is not worth more.
constexpr std::array kFarBehind = {2.0, 1.3};
static_assert(kFarBehind.size() + 1 == Contest::kHeats);

}  // namespace

Contest::Contest(std::size_t entrants, std::size_t samples)
    : times_(entrants), out_(entrants, false), perHeat_(std::max<std::size_t>(1, samples / kHeats)) {}

std::vector<std::size_t> Contest::next() const {
  std::vector<std::size_t> entrants;
  if (turn_ == perHeat_ * kHeats) return entrants;
  for (std::size_t i = 0; i < out_.size(); ++i) {
    if (!out_[i]) entrants.push_back(i);
  }
  // One that is left has won, and is timed for its time alone: a table's reader wants to know what to expect.
  return entrants;
}

void Contest::add(const std::vector<double>& seconds) {
  const auto entrants = next();
  for (std::size_t i = 0; i < entrants.size(); ++i) times_[entrants[i]].push_back(seconds[i]);
  ++turn_;
  if (turn_ % perHeat_ == 0) endHeat();
}

void Contest::endHeat() {
  const std::size_t heat = turn_ / perHeat_ - 1;
  if (heat >= kFarBehind.size()) return;
  const auto medianTimes = medians();
  double best = medianTimes.front();
  for (std::size_t i = 0; i < out_.size(); ++i) {
    if (!out_[i]) best = std::min(best, medianTimes[i]);
  }
  for (std::size_t i = 0; i < out_.size(); ++i) out_[i] = out_[i] || medianTimes[i] > kFarBehind[heat] * best;
}

std::vector<double> Contest::medians() const {
  std::vector<double> result;
  for (const auto& times : times_) result.push_back(times.empty() ? 0 : medianOf(times));
  return result;
}

double medianOf(std::vector<double> numbers) {
  const std::size_t n = numbers.size();
  std::sort(numbers.begin(), numbers.end());
  return (numbers[(n - 1) / 2] + numbers[n / 2]) / 2;
}

}  // namespace atl::tools
