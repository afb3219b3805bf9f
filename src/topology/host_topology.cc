// SPDX-License-Identifier: Apache-2.0
#include "src/topology/host_topology.h"

#include <hwloc.h>

#include <algorithm>
#include <memory>

#include "src/base/log.h"
#include "src/topology/usable_cores.h"

namespace atl {
namespace {

struct DestroyTopology {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using TopologyHandle = std::unique_ptr<hwloc_topology, DestroyTopology>;

int countOf(const TopologyHandle& topology, hwloc_obj_type_t type, int otherwise) {
  const int count = hwloc_get_nbobjs_by_type(topology.get(), type);
  return count > 0 ? count : otherwise;
}

std::uint64_t lastLevelCaches(const TopologyHandle& topology) {
  for (const auto type : {HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE, HWLOC_OBJ_L2CACHE}) {
    std::uint64_t bytes = 0;
    const int count = hwloc_get_nbobjs_by_type(topology.get(), type);
    for (int i = 0; i < count; ++i) {
      const auto object = hwloc_get_obj_by_type(topology.get(), type, static_cast<unsigned>(i));
      if (object != nullptr && object->attr != nullptr) bytes += object->attr->cache.size;
    }
    if (bytes > 0) return bytes;
  }
  return 0;
}

HostTopology withoutHwloc() {
  HostTopology shape;
  shape.cores = shape.pus = usableCores();
  return shape;
}

HostTopology readTopology() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) return withoutHwloc();
  const TopologyHandle topology(raw);
  if (hwloc_topology_load(raw) != 0) {
    log::warn("hwloc cannot read this host's topology; taken for one package of {} cores", usableCores());
    return withoutHwloc();
  }
  HostTopology shape;
  shape.packages = countOf(topology, HWLOC_OBJ_PACKAGE, 1);
  shape.numaNodes = countOf(topology, HWLOC_OBJ_NUMANODE, 1);
  shape.pus = countOf(topology, HWLOC_OBJ_PU, usableCores());
  shape.cores = countOf(topology, HWLOC_OBJ_CORE, shape.pus);
  shape.lastLevelCacheBytes = lastLevelCaches(topology);
  return shape;
}

}  // namespace

const HostTopology& hostTopology() {
  static const HostTopology shape = readTopology();
  return shape;
}

}  // namespace atl
