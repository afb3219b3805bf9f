// SPDX-License-Identifier: Apache-2.0
// The islands of a job, found by timing links between its ranks.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/topology/topology.h"
#include "tools/atoll/topo/link_timer.h"

namespace atl::tools {

struct Survey {
  Topology topology;
  std::vector<std::string> findings;  ///< what was found, and how sure that is; a sentence each
};

/// First small messages between all ranks, which tell islands whose insides are quicker; then large ones between an
/// island's first rank and another's, which tell what joins the islands. At most kMostSurveyed ranks: every pair is
/// timed. Every rank calls it and gets the same.
inline constexpr Rank kMostSurveyed = 64;
Result<Survey> surveyLinks(const LinkTimer& timer);

/// "sure", "likely" or "doubtful": how clear a gap between near and far is.
std::string confidenceOf(double gap);

}  // namespace atl::tools
