// SPDX-License-Identifier: Apache-2.0
// What one launch of the kernel runs: for each of its ranks some runs, one after another. Block (lane, rank) walks that
// lane of them all, where they have it.
#pragma once

#include <cstdint>

#include "src/exec/cuda/device/signals.h"
#include "src/exec/cuda/device/walk.h"

namespace atl::device {

struct Launch {
  static constexpr std::int32_t kMostRuns = 8;
  Run runs[kMostRuns];       ///< of the first rank, then of the next, …
  std::int32_t perRank = 0;  ///< at least 1
  std::int32_t blocks = 0;   ///< of a rank: no run has more lanes
};

/// All threads of the block call it. Folding(run)(x, job) does a job of kind fold.
template <class Folding, Space X>
ATOLL_HOST_DEVICE void walkAll(X& x, Block<X>& block, const Launch& launch, std::int32_t rank, std::int32_t lane) {
  const bool leads = x.thread() == 0;
  for (std::int32_t i = 0; i < launch.perRank; ++i) {
    const Run& run = launch.runs[rank * launch.perRank + i];
    if (leads) block.turn = {i == 0 ? x.acquire(&run.control->call) : block.turn.call + 1, launch.blocks, i > 0};
    if (lane < run.program->laneCount) {
      walk(x, block, run, lane, Folding(run));
    } else if (leads && awaitTurn(x, *run.control, block.turn)) {
      endTurn(x, *run.control, block.turn);
    }
    x.sync();  // all threads have seen that the run is over
  }
}

}  // namespace atl::device
