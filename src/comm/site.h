// SPDX-License-Identifier: Apache-2.0
// What the cost model goes by for a communicator, from its topology and its links; one copy for the ranks of a process.
#pragma once

#include <cstdint>
#include <memory>

#include "src/base/result.h"
#include "src/bootstrap/directory.h"
#include "src/comm/link_table.h"
#include "src/plan/site_model.h"
#include "src/topology/topology.h"

namespace atl {

/// The same on every rank. Levels of the topology that join nothing are left out. `communicator` is the session's
/// number of it; `onDevices`: its calls run there. An error where two ranks have no transport in common. Any thread.
Result<std::shared_ptr<const plan::SiteModel>> siteOf(const Directory& directory, const Topology& topology,
                                                      const LinkTable& links, const plan::LinkModel& worst,
                                                      bool onDevices, std::uint64_t communicator);

}  // namespace atl
