// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/statistics.h"

#include <algorithm>

namespace atl::perf {

Spread spreadOf(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const std::size_t n = samples.size();
  const std::size_t rank99 = (n * 99 + 99) / 100;  // ⌈0.99·n⌉, counted from 1
  return {samples.front(), (samples[(n - 1) / 2] + samples[n / 2]) / 2, samples[rank99 - 1]};
}

Measurement measurementOf(std::uint64_t bytes, double seconds, double busFactor) {
  Measurement m;
  m.seconds = seconds;
  m.algorithmGBps = seconds > 0 ? static_cast<double>(bytes) / 1e9 / seconds : 0;
  m.busGBps = m.algorithmGBps * busFactor;
  return m;
}

}  // namespace atl::perf
