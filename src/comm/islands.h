// SPDX-License-Identifier: Apache-2.0
// The topology of a communicator, one copy for the ranks of a process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "src/base/result.h"
#include "src/base/settings.h"
#include "src/bootstrap/directory.h"
#include "src/topology/topology.h"

namespace atl {

/// Of the ranks in the directory, by what their processes were told and discovered (topology/assemble.h); the same on
/// every rank. `communicator` is the session's number of it. Errors name the setting and what is wrong with it; ranks
/// whose processes were given files of different content each get a mismatch that names two of them. Any thread.
Result<std::shared_ptr<const Topology>> topologyOf(const Directory& directory, const Settings& settings,
                                                   std::uint64_t communicator);

/// Of some of a communicator's ranks: `members[i]` is the old number of rank i. Any thread.
std::shared_ptr<const Topology> topologyOfMembers(const Topology& parent, std::span<const Rank> members,
                                                  std::uint64_t communicator);

/// Prints the topology, if ATOLL_DEBUG asks for it; one rank of a communicator does.
void logTopology(const Topology& topology, Rank me);

}  // namespace atl
