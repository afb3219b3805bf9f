// SPDX-License-Identifier: Apache-2.0
// How fast one core learns what another has stored: the bound of every small message in shared memory.
#pragma once

#include <optional>
#include <vector>

#include "bench/compare_bounds/cores.h"

namespace atl::perf {

/// Seconds for a flag to go to another core and back, the best of `repetitions` times 40 rounds. None on one core,
/// where the round trip is the scheduler's.
std::optional<double> measureFlagRoundTrip(const std::vector<int>& cores, int repetitions);

}  // namespace atl::perf
