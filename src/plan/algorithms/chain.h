// SPDX-License-Identifier: Apache-2.0
// One lane of a chain, which the chain runs in one direction and the ring in both.
#pragma once

#include "src/plan/builder.h"

namespace atl::plan {

/// From the root along the ranks in steps of `step` (+1 or −1), in the open lane. Needs at least two ranks.
void chainBroadcast(PlanBuilder& b, const PlanRequest& request, Rank step);

/// From the far end of that chain to the root, each rank adding its own. Ranks other than the root need a slot of
/// scratch.
void chainReduce(PlanBuilder& b, const PlanRequest& request, Rank step);

/// Cost of `strands` chains that each carry an equal part of the payload at the same time. A rank's port and core carry
/// them all, so that several strands are no faster than one; what they are for is links that differ by direction.
Cost chainBroadcastCost(const CostQuery& query, double strands);
Cost chainReduceCost(const CostQuery& query, double strands);

}  // namespace atl::plan
