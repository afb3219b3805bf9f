// SPDX-License-Identifier: Apache-2.0
// How far a device is from CPUs, on a machine as hwloc has it.
#pragma once

#include <hwloc.h>

#include <string_view>

namespace atl {

/// Between the node of `cpus` and the nearest of those that the device hangs on, as the firmware says, or else by the
/// tree; as in device_order.h. `path` is the device's folder in /sys: one without a PCI address of its own is where the
/// one above it is. Every device is near to CPUs that span nodes.
int deviceDistance(hwloc_topology_t topology, hwloc_const_cpuset_t cpus, std::string_view path);

}  // namespace atl
