// SPDX-License-Identifier: Apache-2.0
#include "src/comm/site.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "src/comm/per_communicator.h"
#include "src/comm/waiting.h"

namespace atl {
namespace {

Result<plan::SiteModel> made(const Directory& directory, const Topology& topology, const LinkTable& links,
                             const plan::LinkModel& worst, bool onDevices) {
  // Devices do not wait for a core.
  const auto crowded = [&](const plan::LinkModel& model) {
    return onDevices ? model : withContention(model, directory);
  };
  const plan::LinkModel everywhere = crowded(worst);
  if (topology.hierarchy().levels() == 1) return plan::SiteModel(everywhere);
  const Topology joined = topology.joiningLevels();
  const plan::Hierarchy& tree = joined.hierarchy();
  if (tree.levels() == 1) return plan::SiteModel(everywhere);
  ATOLL_ASSIGN(const std::vector<plan::LinkModel> models, links.levelModels(tree));
  std::vector<plan::LevelModel> levels;
  for (int l = 0; l < tree.levels(); ++l) {
    plan::LevelModel level{joined.level(l).name, models[static_cast<std::size_t>(l)], {}};
    // What is told of a network counts where it is slower than what the transport takes by itself.
    level.link.latency = std::max(level.link.latency, joined.level(l).latency);
    level.link = crowded(level.link);
    if (joined.portRate(l) > 0) level.uplinks = joined.uplinkRates(l);
    levels.push_back(std::move(level));
  }
  return plan::SiteModel(everywhere, tree, std::move(levels));
}

}  // namespace

Result<std::shared_ptr<const plan::SiteModel>> siteOf(const Directory& directory, const Topology& topology,
                                                      const LinkTable& links, const plan::LinkModel& worst,
                                                      bool onDevices, std::uint64_t communicator) {
  static PerCommunicator<plan::SiteModel> inUse;
  return inUse.get(communicator, [&] { return made(directory, topology, links, worst, onDevices); });
}

}  // namespace atl
