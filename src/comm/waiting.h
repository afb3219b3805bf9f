// SPDX-License-Identifier: Apache-2.0
// What ranks that share cores mean for waiting and for prices.
#pragma once

#include "src/base/settings.h"
#include "src/bootstrap/directory.h"
#include "src/exec/execution.h"
#include "src/plan/link_model.h"

namespace atl {

/// How rank `me` waits: as the settings say, if they do; without a poll where its host has more ranks than cores, since
/// the rank that is waited for may need this very core; else with enough of them to outlast a message or two.
Patience patienceFor(const Directory& directory, Rank me, const Settings& settings);

/// The model with latencies as they are when ranks take turns on cores, on the most crowded host. The same on every
/// rank.
plan::LinkModel withContention(plan::LinkModel model, const Directory& directory);

}  // namespace atl
