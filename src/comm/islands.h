// SPDX-License-Identifier: Apache-2.0
// The topology of a communicator, one copy for the ranks of a process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

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

/// A topology file that a communicator is told while it runs.
struct ToldTopology {
  std::uint64_t hash = 0;  ///< of the file's content; never 0
  Topology topology;
};

/// Of the ranks in the directory, by the file at `path` in place of what their settings tell, read anew. `number` is
/// another one for each time that a communicator is told. Errors name the file, and the place in it. Any thread.
Result<std::shared_ptr<const ToldTopology>> topologyAt(const std::string& path, const Directory& directory,
                                                       std::uint64_t number);

/// Whether all ranks were told the same: `hashes` has ToldTopology::hash by rank, 0 where there is no file that can be
/// read. A mismatch names two ranks.
Status checkTold(std::span<const std::uint64_t> hashes, const Directory& directory);

/// Of some of a communicator's ranks: `members[i]` is the old number of rank i. Any thread.
std::shared_ptr<const Topology> topologyOfMembers(const Topology& parent, std::span<const Rank> members,
                                                  std::uint64_t communicator);

/// Prints the topology, if ATOLL_DEBUG asks for it; one rank of a communicator does.
void logTopology(const Topology& topology, Rank me);

}  // namespace atl
