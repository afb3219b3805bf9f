// SPDX-License-Identifier: Apache-2.0
// How much memory a measurement's buffers take, and how large they may be.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/perf/collective.h"
#include "bench/perf/report.h"
#include "bench/perf/team.h"

namespace atl::perf {

/// A call's buffer sizes in bytes.
struct Extents {
  std::size_t send = 0;
  std::size_t recv = 0;
};

/// What one rank needs for `count` elements, as root and not.
Extents extentsFor(const Collective& collective, std::size_t count, DataType type, int rank, int ranks);

/// The largest size for which the memory of every host has room, with two buffers a rank. Called by every team alike.
Result<std::uint64_t> largestSize(const Team& team, const std::vector<RankInfo>& ranks);

}  // namespace atl::perf
