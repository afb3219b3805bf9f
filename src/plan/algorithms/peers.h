// SPDX-License-Identifier: Apache-2.0
// Peer sets of the direct algorithms.
#pragma once

#include <vector>

#include "src/plan/builder.h"

namespace atl::plan {

/// Every rank but me, beginning after me, so that not all ranks speak to the same one first.
std::vector<Rank> others(Rank me, Rank n);

/// Every rank's contribution to a reduction, in rank order: my own is local, the others' are messages.
std::vector<Operand> everyRanks(const Chunk& own, Rank me, Rank n);

}  // namespace atl::plan
