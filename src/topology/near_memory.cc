// SPDX-License-Identifier: Apache-2.0
#include "src/topology/near_memory.h"

#include <filesystem>
#include <memory>
#include <system_error>

#include "src/topology/nearest_node.h"

namespace atl {
namespace {

struct FreeBitmap {
  void operator()(hwloc_bitmap_t bitmap) const { hwloc_bitmap_free(bitmap); }
};

/// Asked before hwloc, whose look at the machine takes milliseconds: most machines have one node.
bool hasSeveralNodes() {
  std::error_code none;
  return std::filesystem::exists("/sys/devices/system/node/node1", none);
}

/// Null on a machine with one node. Kept until the process ends.
hwloc_topology_t severalNodes() {
  static const hwloc_topology_t topology = []() -> hwloc_topology_t {
    hwloc_topology_t made = nullptr;
    if (!hasSeveralNodes() || hwloc_topology_init(&made) != 0) return nullptr;
    if (hwloc_topology_load(made) == 0) return made;
    hwloc_topology_destroy(made);
    return nullptr;
  }();
  return topology;
}

}  // namespace

hwloc_obj_t nearestNode(hwloc_topology_t topology, hwloc_const_cpuset_t cpus) {
  if (hwloc_bitmap_iszero(cpus)) return nullptr;
  const hwloc_const_cpuset_t all = hwloc_topology_get_topology_cpuset(topology);
  hwloc_obj_t node = nullptr;
  while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)) != nullptr) {
    const bool ofAll = hwloc_bitmap_isincluded(all, node->cpuset) != 0;
    if (!ofAll && hwloc_bitmap_isincluded(cpus, node->cpuset) != 0) return node;
  }
  return nullptr;
}

void placeNearCaller(void* memory, std::size_t bytes) {
  const hwloc_topology_t topology = severalNodes();
  if (topology == nullptr) return;
  const std::unique_ptr<hwloc_bitmap_s, FreeBitmap> cpus(hwloc_bitmap_alloc());
  if (cpus == nullptr || hwloc_get_cpubind(topology, cpus.get(), HWLOC_CPUBIND_THREAD) != 0) return;
  const hwloc_obj_t node = nearestNode(topology, cpus.get());
  if (node == nullptr) return;
  // Not strict: another node's memory is better than none.
  hwloc_set_area_membind(topology, memory, bytes, node->nodeset, HWLOC_MEMBIND_BIND, HWLOC_MEMBIND_BYNODESET);
}

}  // namespace atl
