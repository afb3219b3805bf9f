// SPDX-License-Identifier: Apache-2.0
#include "src/comm/islands.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/comm/per_communicator.h"
#include "src/topology/assemble.h"
#include "src/topology/description.h"
#include "src/topology/outline.h"
#include "src/topology/surroundings.h"

namespace atl {
namespace {

PerCommunicator<Topology>& inUse() {
  static PerCommunicator<Topology> all;
  return all;
}

std::string fileOf(std::uint64_t hash) {
  return hash == 0 ? "no file that can be read" : fmt::format("a file of hash {:016x}", hash);
}

/// `hashOf(rank)` is that of its file.
template <class HashOf>
Status checkAlike(const Directory& directory, std::string_view rule, HashOf hashOf) {
  for (Rank r = 1; r < directory.ranks(); ++r) {
    if (hashOf(r) == hashOf(0)) continue;
    return makeError(ErrorCode::mismatch, "ranks disagree on the topology: {} has {}, {} has {}; {}", directory.name(0),
                     fileOf(hashOf(0)), directory.name(r), fileOf(hashOf(r)), rule);
  }
  return success();
}

Status checkAgreement(const Directory& directory) {
  return checkAlike(directory, "ATOLL_TOPOLOGY has to name the same content on every rank, or none",
                    [&](Rank rank) { return directory.process(rank).topology; });
}

ProcessPlace placeOf(const ProcessInfo& process) {
  constexpr double kBytesOfMegabit = 1e6 / 8;
  ProcessPlace place;
  place.host = process.host;
  place.hostName = process.hostName;
  place.island = process.island;
  place.package = process.package;
  place.fabric = process.fabric;
  place.portRate = process.megabits * kBytesOfMegabit;
  place.ports = process.rails;
  return place;
}

/// A file of a whole cluster may be given to communicators of any part of it; that its members do not count is said.
void tellOfOtherSize(const TopologyFile& file, Rank ranks) {
  const auto& shape = file.description.shape;
  if (!shape || shape->ranks() == ranks) return;
  static std::atomic<bool> told = false;
  if (told.exchange(true)) return;
  log::warn(
      "{} places {} ranks, but a communicator has {}: its islands are those that were discovered, and the file "
      "says only what joins the levels of their names",
      file.path, shape->ranks(), ranks);
}

Result<Topology> assembledBy(const TopologyFile* file, const Directory& directory) {
  if (file != nullptr) tellOfOtherSize(*file, directory.ranks());
  std::vector<ProcessPlace> places;
  for (const ProcessInfo& process : directory.processes) places.push_back(placeOf(process));
  return assembleTopology(places, directory.processOf, file == nullptr ? nullptr : &file->description);
}

Result<Topology> assembled(const Directory& directory, const Settings& settings) {
  std::shared_ptr<const TopologyFile> file;
  if (!settings.topologyFile.empty()) {
    auto read = topologyFileAt(settings.topologyFile);
    if (!read.ok()) return std::move(read).error().within("ATOLL_TOPOLOGY");
    file = std::move(read).value();
  }
  ATOLL_TRY(checkAgreement(directory));
  return assembledBy(file.get(), directory);
}

}  // namespace

Result<std::shared_ptr<const Topology>> topologyOf(const Directory& directory, const Settings& settings,
                                                   std::uint64_t communicator) {
  return inUse().get(communicator, [&] { return assembled(directory, settings); });
}

Result<std::shared_ptr<const ToldTopology>> topologyAt(const std::string& path, const Directory& directory,
                                                       std::uint64_t number) {
  static PerCommunicator<ToldTopology> told;
  return told.get(hashText(path, number), [&]() -> Result<ToldTopology> {
    ATOLL_ASSIGN(const TopologyFile file, readTopologyFile(path));
    auto topology = assembledBy(&file, directory);
    if (!topology.ok()) return std::move(topology).error().within(fmt::format("topology file {}", path));
    return ToldTopology{file.hash, std::move(topology).value()};
  });
}

Status checkTold(std::span<const std::uint64_t> hashes, const Directory& directory) {
  return checkAlike(directory, "every rank has to be told the same content; the communicator keeps the one it had",
                    [&](Rank rank) { return hashes[static_cast<std::size_t>(rank)]; });
}

std::shared_ptr<const Topology> topologyOfMembers(const Topology& parent, std::span<const Rank> members,
                                                  std::uint64_t communicator) {
  return inUse().get(communicator, [&]() -> Result<Topology> { return parent.subset(members); }).value();
}

void logTopology(const Topology& topology, Rank me) {
  if (me != 0 || !log::enabled(log::Subject::topology)) return;
  for (const std::string& line : outlineText(topology)) log::write(log::Subject::topology, me, line);
  static std::atomic<bool> told = false;
  if (told.exchange(true)) return;
  for (const std::string& reason : disguises()) log::write(log::Subject::topology, me, reason);
}

}  // namespace atl
