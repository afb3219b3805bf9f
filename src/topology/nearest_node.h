// SPDX-License-Identifier: Apache-2.0
// Which NUMA node is the one of a set of CPUs.
#pragma once

#include <hwloc.h>

namespace atl {

/// The node whose CPUs include all of `cpus`; the first, where several kinds of memory are near them. Null where `cpus`
/// is empty or spans nodes, and for memory that all of the machine is equally near to.
hwloc_obj_t nearestNode(hwloc_topology_t topology, hwloc_const_cpuset_t cpus);

}  // namespace atl
