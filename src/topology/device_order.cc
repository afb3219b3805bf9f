// SPDX-License-Identifier: Apache-2.0
#include "src/topology/device_order.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <numeric>

#include "src/topology/device_distance.h"
#include "src/topology/device_view.h"
#include "src/topology/host_topology.h"
#include "src/topology/nearest_node.h"

namespace atl {
namespace {

struct FreeBitmap {
  void operator()(hwloc_bitmap_t bitmap) const { hwloc_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<hwloc_bitmap_s, FreeBitmap>;

/// Null: not known.
Bitmap cpusOfCaller(hwloc_topology_t topology) {
  Bitmap cpus(hwloc_bitmap_alloc());
  if (cpus == nullptr) return nullptr;
  const bool bound = hwloc_get_cpubind(topology, cpus.get(), HWLOC_CPUBIND_THREAD) == 0;
  if (bound && nearestNode(topology, cpus.get()) != nullptr) return cpus;
  return hwloc_get_last_cpu_location(topology, cpus.get(), HWLOC_CPUBIND_THREAD) == 0 ? std::move(cpus) : nullptr;
}

}  // namespace

// The machine is looked at once a process, and only where there is a choice.
std::vector<int> distancesFromHere(const std::vector<std::string>& paths) {
  std::vector<int> distances(paths.size(), kNearDistance);
  if (paths.size() < 2 || hostTopology().numaNodes < 2) return distances;
  static std::mutex mutex;  // hwloc fills in distances when it is asked for them
  const std::scoped_lock lock(mutex);
  static const hwloc_topology_t topology = loadWithDevices().release();
  if (topology == nullptr) return distances;
  const Bitmap cpus = cpusOfCaller(topology);
  if (cpus == nullptr) return distances;
  std::ranges::transform(paths, distances.begin(),
                         [&](const std::string& path) { return deviceDistance(topology, cpus.get(), path); });
  return distances;
}

// That every n-th process is near the same n devices, as where processes go round the nodes, must not have all of them
// begin at the same device: so the beginning moves on with every round.
std::vector<std::size_t> nearestFirst(const std::vector<int>& distances, std::size_t turn) {
  std::vector<std::size_t> order(distances.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t place) { return distances[place]; });
  if (order.empty()) return order;
  const auto near = std::ranges::count(distances, distances[order.front()]);
  const auto count = static_cast<std::size_t>(near);
  const auto first = static_cast<std::ptrdiff_t>((turn + turn / count) % count);
  std::rotate(order.begin(), order.begin() + first, order.begin() + near);
  return order;
}

std::string folderBehind(const std::string& link) {
  const std::unique_ptr<char, decltype(&std::free)> path(::realpath(link.c_str(), nullptr), &std::free);
  return path == nullptr ? "" : path.get();
}

}  // namespace atl
