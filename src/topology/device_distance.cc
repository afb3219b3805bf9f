// SPDX-License-Identifier: Apache-2.0
#include "src/topology/device_distance.h"

#include <algorithm>
#include <memory>
#include <string>

#include "src/topology/device_order.h"
#include "src/topology/nearest_node.h"

namespace atl {
namespace {

// Where the firmware says nothing.
constexpr int kSamePackage = 12;
constexpr int kOtherPackage = 20;

/// What the device hangs on; null: not known. Devices of which the firmware does not say it hang on the machine.
hwloc_obj_t placeOf(hwloc_topology_t topology, std::string_view path) {
  while (!path.empty()) {
    const auto slash = path.rfind('/');
    const std::string part(path.substr(slash == std::string_view::npos ? 0 : slash + 1));
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
    const hwloc_obj_t device = hwloc_get_pcidev_by_busidstring(topology, part.c_str());
    if (device == nullptr) continue;
    const hwloc_obj_t place = hwloc_get_non_io_ancestor_obj(topology, device);
    const bool ofAll = hwloc_bitmap_isequal(place->cpuset, hwloc_topology_get_topology_cpuset(topology)) != 0;
    return ofAll ? nullptr : place;
  }
  return nullptr;
}

struct ReleaseDistances {
  hwloc_topology_t topology;
  void operator()(hwloc_distances_s* distances) const { hwloc_distances_release(topology, distances); }
};

int between(hwloc_topology_t topology, hwloc_obj_t from, hwloc_obj_t to) {
  unsigned count = 1;
  hwloc_distances_s* raw = nullptr;
  constexpr unsigned long kKinds = HWLOC_DISTANCES_KIND_MEANS_LATENCY;
  if (hwloc_distances_get_by_type(topology, HWLOC_OBJ_NUMANODE, &count, &raw, kKinds, 0) == 0 && count > 0) {
    const std::unique_ptr<hwloc_distances_s, ReleaseDistances> distances(raw, {topology});
    hwloc_uint64_t there = 0;
    hwloc_uint64_t back = 0;
    if (hwloc_distances_obj_pair_values(raw, from, to, &there, &back) == 0) return static_cast<int>(there);
  }
  if (from == to) return kNearDistance;
  const hwloc_obj_t package = hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, from);
  const bool same = package != nullptr && package == hwloc_get_ancestor_obj_by_type(topology, HWLOC_OBJ_PACKAGE, to);
  return same ? kSamePackage : kOtherPackage;
}

}  // namespace

int deviceDistance(hwloc_topology_t topology, hwloc_const_cpuset_t cpus, std::string_view path) {
  const hwloc_obj_t home = nearestNode(topology, cpus);
  if (home == nullptr) return kNearDistance;
  const hwloc_obj_t place = placeOf(topology, path);
  if (place == nullptr) return kUnknownDistance;
  int least = 0;
  hwloc_obj_t node = nullptr;
  while ((node = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, node)) != nullptr) {
    if (hwloc_bitmap_intersects(node->cpuset, place->cpuset) == 0) continue;
    const int distance = between(topology, home, node);
    least = least == 0 ? distance : std::min(least, distance);
  }
  return least == 0 ? kUnknownDistance : least;
}

}  // namespace atl
