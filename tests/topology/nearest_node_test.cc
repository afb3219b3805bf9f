// SPDX-License-Identifier: Apache-2.0
// Where memory belongs, on machines that hwloc makes up.
#include "src/topology/nearest_node.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <initializer_list>
#include <string>

#include "src/topology/near_memory.h"

namespace atl {
namespace {

/// The logical number of the node that CPUs of a made-up machine are near to; -1 for none.
int nodeOf(const std::string& machine, std::initializer_list<unsigned> cpus) {
  hwloc_topology_t topology = nullptr;
  EXPECT_EQ(hwloc_topology_init(&topology), 0);
  EXPECT_EQ(hwloc_topology_set_synthetic(topology, machine.c_str()), 0);
  EXPECT_EQ(hwloc_topology_load(topology), 0);
  hwloc_bitmap_t set = hwloc_bitmap_alloc();
  for (const unsigned cpu : cpus) hwloc_bitmap_set(set, cpu);
  const hwloc_obj_t node = nearestNode(topology, set);
  const int number = node == nullptr ? -1 : static_cast<int>(node->logical_index);
  hwloc_bitmap_free(set);
  hwloc_topology_destroy(topology);
  return number;
}

constexpr auto kTwoNodes = "pack:2 [numa] core:2 pu:2";  // CPUs 0 to 3 and 4 to 7

TEST(NearestNode, CpusOfOneNode_AreNearThatNode) {
  EXPECT_EQ(nodeOf(kTwoNodes, {1}), 0);
  EXPECT_EQ(nodeOf(kTwoNodes, {4, 7}), 1);
  EXPECT_EQ(nodeOf(kTwoNodes, {4, 5, 6, 7}), 1);
}

TEST(NearestNode, CpusOfTwoNodes_AreNearNone) {
  EXPECT_EQ(nodeOf(kTwoNodes, {3, 4}), -1);
  EXPECT_EQ(nodeOf(kTwoNodes, {0, 1, 2, 3, 4, 5, 6, 7}), -1);
}

TEST(NearestNode, OneNode_NeedsNoPlacement) {
  EXPECT_EQ(nodeOf("pack:1 [numa] core:4 pu:1", {2}), -1);
}

TEST(NearestNode, MemoryOfTheWholeMachine_IsNearNobodyInParticular) {
  // A third node, without CPUs of its own, as of memory behind a bus.
  EXPECT_EQ(nodeOf("[numa] pack:2 [numa] core:2 pu:1", {0, 3}), -1);
  EXPECT_EQ(nodeOf("[numa] pack:2 [numa] core:2 pu:1", {3}), 1);
}

TEST(NearestNode, NoCpus_AreNearNone) {
  EXPECT_EQ(nodeOf(kTwoNodes, {}), -1);
}

TEST(PlaceNearCaller, FreshMapping_StaysUsable) {
  constexpr std::size_t kBytes = 1 << 20;
  void* const memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  placeNearCaller(memory, kBytes);
  static_cast<unsigned char*>(memory)[kBytes - 1] = 7;
  EXPECT_EQ(static_cast<unsigned char*>(memory)[kBytes - 1], 7);
  ::munmap(memory, kBytes);
}

}  // namespace
}  // namespace atl
