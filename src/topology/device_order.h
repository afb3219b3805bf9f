// SPDX-License-Identifier: Apache-2.0
// Which of several network devices a process had best use: the nearest, and not the one that its neighbours use.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace atl {

// As firmware counts distances between NUMA nodes: 10 within a node, and more the farther.
inline constexpr int kNearDistance = 10;
/// Of a device whose place is not known: behind those that are near, before those of other packages.
inline constexpr int kUnknownDistance = 15;

/// How far each is from the node of the calling thread: of one that may run on several, the node where it runs now.
/// `paths`: their folders in /sys ("/sys/devices/pci0000:00/…/0000:1b:00.0"); empty: on no bus. All are near on a
/// machine with one node, or that hwloc cannot read.
std::vector<int> distancesFromHere(const std::vector<std::string>& paths);

/// Places in `distances`, the nearest first. Those at the least distance begin at another one for each process of a
/// host, by `turn`, its place there, so that processes spread over them.
std::vector<std::size_t> nearestFirst(const std::vector<int>& distances, std::size_t turn);

/// The folder in /sys behind a link such as /sys/class/net/eth0/device; empty where there is none.
std::string folderBehind(const std::string& link);

}  // namespace atl
