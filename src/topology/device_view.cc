// SPDX-License-Identifier: Apache-2.0
#include "src/topology/device_view.h"

#include <utility>

namespace atl {

TopologyHandle loadWithDevices() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return nullptr;
  TopologyHandle handle(raw);
  hwloc_topology_set_io_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_ALL);
  // sysfs says the same as libpciaccess, which loses memory; and no display's or OpenCL driver is wanted in here.
  for (const char* component : {"pci", "gl", "opencl"}) {
    hwloc_topology_set_components(raw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, component);
  }
  return hwloc_topology_load(raw) == 0 ? std::move(handle) : nullptr;
}

}  // namespace atl
