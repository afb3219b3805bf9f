// SPDX-License-Identifier: Apache-2.0
// Which of several algorithms is fastest, found with few measurements: all are timed a little, and those that are far
// behind are left out before the others are timed more.
#pragma once

#include <cstddef>
#include <vector>

namespace atl::tools {

/// Heats of one contest. Pure bookkeeping: the same samples give the same heats, so that ranks which share their
/// samples go the same way without a word.
class Contest {
 public:
  /// `samples`: what an entrant that stays to the end is timed, at least 1 in each of kHeats heats.
  Contest(std::size_t entrants, std::size_t samples);

  /// Who is to be timed now, once each and in turn; empty at the end.
  [[nodiscard]] std::vector<std::size_t> next() const;
  /// One time of each of next(), in its order, in seconds.
  void add(const std::vector<double>& seconds);

  /// Median time of each entrant, by whatever was measured of it.
  [[nodiscard]] std::vector<double> medians() const;

  static constexpr std::size_t kHeats = 3;

 private:
  void endHeat();

  std::vector<std::vector<double>> times_;  ///< of each entrant
  std::vector<bool> out_;
  std::size_t perHeat_;
  std::size_t turn_ = 0;  ///< turns taken
};

/// The middle one of at least one number; of an even number the mean of the two in the middle.
double medianOf(std::vector<double> numbers);

}  // namespace atl::tools
