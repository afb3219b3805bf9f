// SPDX-License-Identifier: Apache-2.0
// The shape of this host as hwloc sees it.
#pragma once

#include <cstdint>

namespace atl {

/// Counts of the whole host. A machine that hwloc cannot read is taken for one package with the cores that are usable.
struct HostTopology {
  int packages = 1;
  int numaNodes = 1;
  int cores = 1;                          ///< physical cores
  int pus = 1;                            ///< hardware threads
  std::uint64_t lastLevelCacheBytes = 0;  ///< all last-level caches together; 0: not known
};

/// Read once a process.
const HostTopology& hostTopology();

}  // namespace atl
