// SPDX-License-Identifier: Apache-2.0
// What ranks that share cores mean for waiting and for prices.
#pragma once

#include "src/bootstrap/directory.h"
#include "src/plan/chooser.h"

namespace atl {

/// Polls before a waiting rank yields: `wanted` if the user set it; none where the host has more ranks than cores,
/// since the rank that is waited for may need this very core; else enough to outlast a message or two.
int spinFor(const Directory& directory, Rank me, int wanted);

/// The model with latencies as they are when ranks take turns on cores, on the most crowded host. The same on every
/// rank.
plan::LinkModel withContention(plan::LinkModel model, const Directory& directory);

}  // namespace atl
