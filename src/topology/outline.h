// SPDX-License-Identifier: Apache-2.0
// A topology for people: islands that are alike and stand side by side are told once, with their number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/topology/topology.h"

namespace atl {

/// An island, or a run of islands of one shape.
struct OutlineNode {
  int level = 0;
  std::int32_t group = 0;  ///< the first of the run
  std::int32_t count = 1;
  std::vector<OutlineNode> members;  ///< of the first; empty at level 0, whose members are ranks
};

/// The whole tree. What is in an island with at most `apart` innermost islands is told one by one, in others in runs of
/// neighbours of one shape.
OutlineNode outlineOf(const Topology& topology, std::int32_t apart);

/// "0-3, 8, 10-11": the ranks of an island, cut after some runs.
std::string ranksText(const plan::GroupRanks& ranks);

/// "50 GB/s a rank", "4 × 25 GB/s a host": the ports into a level whose bandwidth is known.
std::string portsText(const Topology& topology, int level);

/// What a level's network is, on one line: "fat-tree, 50 GB/s a rank (97 % usable), 8 rails, 7:1 oversubscribed, 2.8
/// µs".
std::string networkText(const Topology& topology, int level);

/// One line for each level and then the tree, a line for each island or run of them.
std::vector<std::string> outlineText(const Topology& topology, std::int32_t apart = 12);

}  // namespace atl
