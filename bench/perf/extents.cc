// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/extents.h"

#include <algorithm>

#include "bench/perf/buffer.h"

namespace atl::perf {
namespace {

/// Share of the free memory that the buffers may take: the rest is for the library and for everybody else.
constexpr double kMemoryShare = 0.75;

}  // namespace

Extents extentsFor(const Collective& collective, std::size_t count, DataType type, int rank, int ranks) {
  Extents largest;
  for (const int root : {rank, (rank + 1) % ranks}) {
    const Job job{count, rank, ranks, root};
    largest.send = std::max(largest.send, extentOf(collective.input(job)) * atl::sizeOf(type));
    largest.recv = std::max(largest.recv, extentOf(collective.output(job)) * atl::sizeOf(type));
  }
  return largest;
}

Result<std::uint64_t> largestSize(const Team& team, const std::vector<RankInfo>& ranks) {
  const std::string& host = ranks.at(static_cast<std::size_t>(team.members()[0].rank)).host;
  const auto neighbours = std::count_if(ranks.begin(), ranks.end(), [&](const RankInfo& r) { return r.host == host; });
  const std::uint64_t available = availableMemory();
  const double limit =
      available == 0 ? 1e18 : static_cast<double>(available) * kMemoryShare / static_cast<double>(neighbours) / 2;
  ATOLL_ASSIGN(const auto agreed, team.combine({limit}, Average::min));
  return static_cast<std::uint64_t>(agreed[0]);
}

}  // namespace atl::perf
