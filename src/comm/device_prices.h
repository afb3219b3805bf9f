// SPDX-License-Identifier: Apache-2.0
// What links between devices cost, for the chooser.
#pragma once

#include "src/bootstrap/directory.h"
#include "src/plan/link_model.h"

namespace atl {

/// Of links between devices of two processes whose hosts' own links have these prices. `peerAccess`: as the settings
/// have it; whether two devices really have it shows only when they are linked.
plan::LinkModel deviceLinkModel(const ProcessInfo& a, const ProcessInfo& b, const plan::LinkModel& hosts,
                                bool peerAccess);

/// Messages between devices up to this size go with their flags in them, and wait for no other store.
inline constexpr std::uint64_t kDevicePacketsUpTo = 16 << 10;

}  // namespace atl
