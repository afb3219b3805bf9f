// SPDX-License-Identifier: Apache-2.0
// From processes to ranks: who takes part, and the communicators of this process.
#pragma once

#include <vector>

#include "atoll/atoll.h"
#include "bench/perf/options.h"
#include "bench/perf/report.h"
#include "bench/perf/team.h"
#include "src/base/result.h"

namespace atl::perf {

/// This process among the processes. Rank = (process · threads + thread) · ranks per thread + place.
struct World {
  atollUniqueId id{};
  int process = 0;
  int processes = 1;
  int threads = 1;
  int ranksPerThread = 1;

  [[nodiscard]] int ranks() const { return processes * threads * ranksPerThread; }
  [[nodiscard]] int firstRankOf(int thread) const { return (process * threads + thread) * ranksPerThread; }
};

/// Asks the launcher (`atoll run`, MPI, Slurm, torchrun); without one, this process is alone.
Result<World> enterWorld(const Options& options);

/// The teams of threads `firstThread` … `firstThread + threads − 1`, made in one group. Blocks until every rank has
/// come.
Result<std::vector<Team>> makeTeams(const World& world, const Options& options, int firstThread, int threads);

/// What the header says of every rank, in order. Called by every team alike.
Result<std::vector<RankInfo>> describeRanks(const World& world, const Team& team);

}  // namespace atl::perf
