// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/topology_json.h"

#include <nlohmann/json.hpp>

#include "src/topology/outline.h"

namespace atl::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int32_t kApart = 64;  ///< siblings that are told one by one

Json knownOrNull(double value) {
  return value > 0 ? Json(value) : Json();
}

Json levelOf(const Topology& topology, int number) {
  const Level& level = topology.level(number);
  Json json;
  json["name"] = level.name;
  json["kind"] = nameOf(level.kind);
  json["islands"] = topology.hierarchy().groups(number);
  json["equalMembers"] = topology.hierarchy().equalMembers(number);
  if (!level.dims.empty()) json["dims"] = level.dims;
  json["bandwidth"] = knownOrNull(level.bandwidth);
  json["usable"] = level.usable;
  json["ports"] = {{"count", level.ports.count},
                   {"per", level.ports.per == Ports::kPerRank ? "rank" : topology.level(level.ports.per).name}};
  json["planes"] = level.planes;
  json["rails"] = level.rails;
  json["oversubscription"] = level.oversubscription;
  json["bandwidthOfEachRank"] = knownOrNull(topology.rateOfEach(number));
  json["latency"] = knownOrNull(level.latency);
  json["hopLatency"] = knownOrNull(level.hopLatency);
  json["switchTime"] = knownOrNull(level.switchTime);
  return json;
}

Json nodeOf(const Topology& topology, const OutlineNode& node) {
  const auto ranks = topology.hierarchy().ranksOf(node.level, node.group);
  Json json;
  json["level"] = topology.level(node.level).name;
  json["label"] = topology.label(node.level, node.group);
  json["count"] = node.count;
  json["ranks"] = ranks.size();
  if (node.level == 0) {
    if (node.count == 1) {
      json["members"] = Json::array();
      for (const Rank r : ranks) json["members"].push_back(r);
    }
    return json;
  }
  json["members"] = Json::array();
  for (const OutlineNode& member : node.members) json["members"].push_back(nodeOf(topology, member));
  return json;
}

Json machineOf(const Machine& machine) {
  Json json;
  json["host"] = machine.hostName;
  json["packages"] = Json::array();
  for (const MachinePackage& package : machine.packages) {
    json["packages"].push_back({{"cores", package.cores}, {"numaNodes", package.numaNodes}});
  }
  json["devices"] = Json::array();
  for (const MachineDevice& device : machine.devices) {
    const bool network = device.kind == MachineDevice::Kind::network;
    Json one = {{"kind", network ? "network" : "accelerator"},
                {"name", device.name},
                {"pci", device.pciAddress},
                {"package", device.package}};
    if (network) one["bandwidth"] = knownOrNull(device.rate);
    if (!network) one["fabric"] = device.fabric == 0 ? Json() : Json(fmt::format("{:016x}", device.fabric));
    json["devices"].push_back(std::move(one));
  }
  json["remarks"] = machine.remarks;
  return json;
}

}  // namespace

std::string jsonOf(const Topology& topology, const Machine* machine) {
  Json json;
  json["name"] = topology.name();
  json["ranks"] = topology.ranks();
  if (machine != nullptr) {
    json["rankIs"] = rankNameOf(*machine);
    json["machine"] = machineOf(*machine);
  }
  json["levels"] = Json::array();
  for (int l = 0; l < topology.hierarchy().levels(); ++l) json["levels"].push_back(levelOf(topology, l));
  json["tree"] = nodeOf(topology, outlineOf(topology, kApart));
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace atl::tools
