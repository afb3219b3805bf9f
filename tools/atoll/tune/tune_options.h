// SPDX-License-Identifier: Apache-2.0
// What `atoll tune` is asked for.
#pragma once

#include <string>
#include <vector>

#include "bench/perf/options.h"
#include "src/base/types.h"

namespace atl::tools {

struct TuneOptions {
  std::string output = "atoll-tuning.json";
  bool merge = false;                   ///< keep what the file says of other sites
  std::vector<Collective> collectives;  ///< none: all
  std::size_t samples = 9;              ///< of an algorithm that stays to the end, at each size
  double sampleSeconds = 2e-3;          ///< that a sample should last, by repeating the call
  perf::Options perf;                   ///< sizes, threads, time limit

  TuneOptions() {
    perf.sweep = {8, std::uint64_t{64} << 20, 0, 2};
    perf.checks = 0;
    perf.freshInput = true;
  }
};

}  // namespace atl::tools
