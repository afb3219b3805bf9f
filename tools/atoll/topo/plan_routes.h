// SPDX-License-Identifier: Apache-2.0
// The rings and trees of a plan on top of the picture of a topology.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/plan/algorithm.h"
#include "src/topology/topology.h"
#include "tools/atoll/topo/drawing.h"

namespace atl::tools {

/// Which plans: an algorithm on all ranks of a topology, from root 0 where there is one.
struct RoutesWanted {
  Collective collective = Collective::allReduce;
  const plan::Algorithm* algorithm = nullptr;
  std::int32_t shares = 1;
};

/// From "allreduce:ring", or "allreduce:ring:4" for four shares. Errors name what is wrong and what would do.
Result<RoutesWanted> routesWanted(const std::string& text, Rank ranks);

/// Who sends to whom.
using Routes = std::set<std::pair<Rank, Rank>>;

/// The links of each share's lanes that begin or end at one of these ranks.
std::vector<Routes> routesOf(const RoutesWanted& wanted, const plan::Hierarchy& hierarchy,
                             const std::vector<Rank>& ranks);

/// Has a picture of the topology show them, each share in a colour of its own with a key that says how often it passes
/// between the islands that are shown. Links to ranks that are not shown end in the open.
void drawRoutes(DrawingOptions& options, const RoutesWanted& wanted, const Topology& topology);

}  // namespace atl::tools
