// SPDX-License-Identifier: Apache-2.0
// One thread's way through all collectives and sizes. Every thread of every process goes the same way, call for call.
#pragma once

#include <functional>
#include <vector>

#include "bench/perf/launch.h"
#include "bench/perf/team.h"
#include "src/plan/tuning_table.h"
#include "tools/atoll/tune/tune_options.h"

namespace atl::tools {

/// A measured size, and what the cost model would have taken.
struct TunedSize {
  Collective collective = Collective::allReduce;
  plan::TuningRow row;
  const plan::Algorithm* builtIn = nullptr;
};

struct TuningResult {
  plan::TuningSite site;
  std::vector<TunedSize> sizes;
};

/// What the leader shows meanwhile; empty on the others.
struct TuningObserver {
  /// All that will be measured, in order: nominal sizes.
  std::function<void(std::vector<std::uint64_t>)> begun;
  std::function<void(Collective, std::uint64_t bytes)> sizeBegun;
  std::function<void()> sizeDone;
};

/// Measures; the same result on every rank. -e is lowered to what memory allows.
Result<TuningResult> tune(const TuneOptions& options, const perf::World& world, const perf::Team& team,
                          const TuningObserver& observer);

/// The collectives that have more than one algorithm, which is what tuning is about.
std::vector<Collective> tunableCollectives();

}  // namespace atl::tools
