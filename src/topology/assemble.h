// SPDX-License-Identifier: Apache-2.0
// From what each process says of itself to the topology of a communicator.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "src/base/result.h"
#include "src/topology/description.h"
#include "src/topology/topology.h"

namespace atl {

/// Where a process is, as it discovered or was told.
struct ProcessPlace {
  std::uint64_t host = 0;     ///< equal: the same host
  std::string_view hostName;  ///< for people
  std::string_view island;    ///< ATOLL_ISLAND: "pod3/host7", outer to inner; empty: it was not told
  int package = -1;           ///< that it is bound to; −1: none in particular
  std::uint64_t fabric = 0;   ///< of accelerators, over several hosts; 0: none
  double portRate = 0;        ///< of one of its host's network ports, bytes per second; 0: not known
  std::int32_t ports = 1;     ///< that its host has
};

/// The topology of the ranks whose processes are given; the same on every rank. Where they are is decided by the first
/// of these that speaks: the islands that processes were told, the members in `told` (a file's content, or null) if
/// they are as many as the ranks, what was discovered. What joins them comes from `told`, for discovered levels by
/// their names: package, host, nvlink, network. Errors name two ranks that were told islands of different depth, and
/// numbers of levels that do not go together.
Result<Topology> assembleTopology(std::span<const ProcessPlace> processes, std::span<const std::uint32_t> processOf,
                                  const TopologyDescription* told);

}  // namespace atl
