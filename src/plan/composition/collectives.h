// SPDX-License-Identifier: Apache-2.0
// What a rank does for each collective, level by level. The composer has been prepared.
//
// Each begins at level 0 and goes on to the next level with every slice that the rank owns; the ranks that own none
// are done when their group is. A group of one has nothing to do, and what was where stays there.
#pragma once

#include "src/plan/composition/composer.h"

namespace atl::plan {

/// Reduce-scatters inward, all-reduces, all-gathers outward. Leaders: reduce, all-reduce, broadcast.
void composeAllReduce(Composer& composer);

/// Reduce-scatters inward, reduces to the owners in the root's group, and gathers from there to the root. Leaders:
/// reduce, reduce.
void composeReduce(Composer& composer);

/// Scatters from the root to the owners in its groups, broadcasts, and all-gathers in every group. Leaders: broadcast,
/// broadcast.
void composeBroadcast(Composer& composer);

/// All-gathers at the outermost level first, so that each block enters a group once, and then of ever more blocks
/// outward. Leaders: gather, all-gather, broadcast.
void composeAllGather(Composer& composer);

/// Reduce-scatters inward, of ever fewer blocks: the all-gather backwards. Leaders: reduce, reduce-scatter, scatter.
void composeReduceScatter(Composer& composer);

/// Exchanges at every level, of ever more blocks together, inner levels first. No leaders.
void composeAllToAll(Composer& composer);

}  // namespace atl::plan
