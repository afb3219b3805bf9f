// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "src/topology/machine.h"
#include "src/topology/topology.h"

namespace atl::tools {

/// A topology for other programs: levels from the innermost, rates in bytes per second, times in seconds, null where
/// they are not known; and the tree, in which islands that are alike and neighbours, where there are many, are one node
/// with their `count`. With the machine that it is of, or null.
std::string jsonOf(const Topology& topology, const Machine* machine);

}  // namespace atl::tools
