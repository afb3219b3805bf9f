// SPDX-License-Identifier: Apache-2.0
// hwloc's view of this machine with its devices.
#pragma once

#include <hwloc.h>

#include <memory>

namespace atl {

struct DestroyTopology {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using TopologyHandle = std::unique_ptr<hwloc_topology, DestroyTopology>;

/// With all PCI devices, which takes milliseconds, on large machines tens of them. Null where hwloc cannot read the
/// machine.
TopologyHandle loadWithDevices();

}  // namespace atl
