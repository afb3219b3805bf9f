// SPDX-License-Identifier: Apache-2.0
#include "src/topology/assemble.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace atl {
namespace {

using GroupNumbers = std::vector<std::uint32_t>;  // by rank

/// Numbers for values, in the order in which they come.
template <class Value>
class Numbering {
 public:
  std::uint32_t of(const Value& value) {
    return numbers_.try_emplace(value, static_cast<std::uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::unordered_map<Value, std::uint32_t> numbers_;
};

/// A number for each rank, from what its process says.
template <class Value, class Says>
GroupNumbers numbersBy(std::span<const ProcessPlace> processes, std::span<const std::uint32_t> processOf, Says says) {
  Numbering<Value> numbering;
  GroupNumbers ofProcess;
  for (const ProcessPlace& process : processes) ofProcess.push_back(numbering.of(says(process)));
  GroupNumbers ofRank;
  ofRank.reserve(processOf.size());
  for (const std::uint32_t process : processOf) ofRank.push_back(ofProcess[process]);
  return ofRank;
}

std::size_t depthOf(std::string_view island) {
  return island.empty() ? 0 : 1 + static_cast<std::size_t>(std::ranges::count(island, '/'));
}

/// The part of a path so many levels from the inside.
std::string_view partOf(std::string_view island, std::size_t level) {
  for (; level > 0; --level) island = island.substr(0, island.rfind('/'));
  const auto slash = island.rfind('/');
  return slash == std::string_view::npos ? island : island.substr(slash + 1);
}

std::string shown(std::string_view island) {
  return island.empty() ? "no island" : fmt::format("'{}'", island);
}

Level plain(std::string name) {
  Level level;
  level.name = std::move(name);
  return level;
}

/// What islands such as host7 and host12 are called together: host; nothing where they have no beginning of letters in
/// common.
std::string commonName(std::span<const std::string> labels) {
  std::string_view common = labels.front();
  for (const std::string_view label : labels) {
    const auto differ = std::ranges::mismatch(common, label).in1 - common.begin();
    common = common.substr(0, static_cast<std::size_t>(differ));
  }
  const auto end = std::ranges::find_if(common, [](unsigned char c) { return std::isalpha(c) == 0; });
  return {common.begin(), end};
}

/// Labels of every island of a level, each from one of its ranks; none where two islands would be called alike.
template <class LabelOf>
std::vector<std::string> labelsOf(const plan::Hierarchy& tree, int level, LabelOf labelOf) {
  std::vector<std::string> labels;
  std::unordered_set<std::string> known;
  for (std::int32_t g = 0; g < tree.groups(level); ++g) {
    labels.emplace_back(labelOf(tree.ranksOf(level, g)[0]));
    if (labels.back().empty() || !known.insert(labels.back()).second) return {};
  }
  return labels;
}

/// Processes that were told where they are.
Result<Topology> fromIslands(std::span<const ProcessPlace> processes, std::span<const std::uint32_t> processOf,
                             const TopologyDescription* told) {
  const auto islandOf = [&](Rank r) { return processes[processOf[static_cast<std::size_t>(r)]].island; };
  const auto ranks = static_cast<Rank>(processOf.size());
  const std::size_t depth = depthOf(islandOf(0));
  for (Rank r = 1; r < ranks; ++r) {
    if (depthOf(islandOf(r)) == depth) continue;
    return makeError(
        ErrorCode::mismatch,
        "ATOLL_ISLAND names islands of different depth: rank 0 has {}, rank {} has {}; every rank needs as "
        "many names, outer to inner",
        shown(islandOf(0)), r, shown(islandOf(r)));
  }
  if (told != nullptr && told->levels.size() != depth + 1) {
    return makeError(
        ErrorCode::invalidArgument,
        "ATOLL_ISLAND names {} islands of rank 0 ({}), but the topology file has {} levels; {} are needed, "
        "one more than names, for what joins the outermost",
        depth, shown(islandOf(0)), told->levels.size(), depth + 1);
  }
  std::vector<GroupNumbers> groupOf;
  for (std::size_t l = 0; l < depth; ++l) {
    groupOf.push_back(
        numbersBy<std::string_view>(processes, processOf, [&](const ProcessPlace& p) { return partOf(p.island, l); }));
  }
  plan::Hierarchy tree = plan::Hierarchy::fromGroups(groupOf, ranks);
  Topology::Labels labels;
  for (std::size_t l = 0; l < depth; ++l) {
    labels.push_back(labelsOf(tree, static_cast<int>(l), [&](Rank r) { return std::string(partOf(islandOf(r), l)); }));
  }
  if (told != nullptr) return Topology::make(told->name, std::move(tree), told->levels, std::move(labels));

  std::vector<Level> levels;
  for (std::size_t l = 0; l <= depth; ++l) {
    std::string name = l == depth ? "network" : labels[l].empty() ? "" : commonName(labels[l]);
    if (name.empty() || name == "rank") name = "island";
    if (std::ranges::find(levels, name, &Level::name) != levels.end()) name += fmt::format("-{}", l);
    levels.push_back(plain(std::move(name)));
  }
  return Topology::make("", std::move(tree), std::move(levels), std::move(labels));
}

/// What discovery knows of the network: the slowest host's port, and the fewest ports of any.
Level discoveredNetwork(std::span<const ProcessPlace> processes, int hostLevel) {
  Level network = plain("network");
  network.bandwidth = processes.front().portRate;
  network.ports = {processes.front().ports, hostLevel};
  for (const ProcessPlace& process : processes) {
    network.bandwidth = std::min(network.bandwidth, process.portRate);
    network.ports.count = std::clamp(process.ports, 1, network.ports.count);
  }
  return network;
}

/// Whether some host has processes in more than one package; with one package, the host is what people know it as.
bool packagesDivide(std::span<const ProcessPlace> processes) {
  std::unordered_map<std::uint64_t, int> packageOf;
  return std::ranges::any_of(processes, [&](const ProcessPlace& p) {
    return packageOf.try_emplace(p.host, p.package).first->second != p.package;
  });
}

Result<Topology> fromDiscovery(std::span<const ProcessPlace> processes, std::span<const std::uint32_t> processOf,
                               const TopologyDescription* told) {
  std::vector<GroupNumbers> groupOf;
  std::vector<Level> levels;
  // One process that is not bound to a package, or has no fabric, says that the level is not there for all.
  if (std::ranges::all_of(processes, [](const ProcessPlace& p) { return p.package >= 0; }) &&
      packagesDivide(processes)) {
    groupOf.push_back(numbersBy<int>(processes, processOf, [](const ProcessPlace& p) { return p.package; }));
    levels.push_back(plain("package"));
  }
  const int hostLevel = static_cast<int>(levels.size());
  groupOf.push_back(numbersBy<std::uint64_t>(processes, processOf, [](const ProcessPlace& p) { return p.host; }));
  levels.push_back(plain("host"));
  if (std::ranges::all_of(processes, [](const ProcessPlace& p) { return p.fabric != 0; })) {
    groupOf.push_back(numbersBy<std::uint64_t>(processes, processOf, [](const ProcessPlace& p) { return p.fabric; }));
    levels.push_back(plain("nvlink"));
  }
  levels.push_back(discoveredNetwork(processes, hostLevel));

  const auto ranks = static_cast<Rank>(processOf.size());
  plan::Hierarchy tree = plan::Hierarchy::fromGroups(groupOf, ranks);
  Topology::Labels labels(levels.size());
  labels[static_cast<std::size_t>(hostLevel)] = labelsOf(
      tree, hostLevel, [&](Rank r) { return std::string(processes[processOf[static_cast<std::size_t>(r)]].hostName); });
  ATOLL_ASSIGN(const Topology found, Topology::make("", std::move(tree), std::move(levels), std::move(labels)));
  const Topology joined = found.joiningLevels();
  return told == nullptr ? joined : joined.describedBy(told->name, told->levels);
}

}  // namespace

Result<Topology> assembleTopology(std::span<const ProcessPlace> processes, std::span<const std::uint32_t> processOf,
                                  const TopologyDescription* told) {
  const bool islands = std::ranges::any_of(processes, [](const ProcessPlace& p) { return !p.island.empty(); });
  if (islands) return fromIslands(processes, processOf, told);
  if (told != nullptr && told->shape && told->shape->ranks() == static_cast<Rank>(processOf.size())) {
    return *told->topology();
  }
  return fromDiscovery(processes, processOf, told);
}

}  // namespace atl
