// SPDX-License-Identifier: Apache-2.0
// What a size's measurement comes to.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace atl::perf {

/// Order statistics of the iterations, in seconds.
struct Spread {
  double min = 0;
  double median = 0;
  double p99 = 0;
};

/// Of at least one sample. The median of an even number is the mean of the two in the middle; the 99th percentile is
/// the least sample that 99 % of them do not exceed.
Spread spreadOf(std::vector<double> samples);

/// One of a row's two halves.
struct Measurement {
  double seconds = 0;                  ///< of one call
  double algorithmGBps = 0;            ///< size / seconds, in 1e9 bytes a second
  double busGBps = 0;                  ///< the same times the collective's factor
  std::optional<std::uint64_t> wrong;  ///< over all ranks; none when not checked
  std::vector<double> samples;         ///< of each iteration, in seconds; empty when not asked for
};

/// Bandwidths from a size, a time and a factor; 0 where no time passed.
Measurement measurementOf(std::uint64_t bytes, double seconds, double busFactor);

}  // namespace atl::perf
