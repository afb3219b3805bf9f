// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/info/machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/atoll.h"
#include "generated/build_features.h"
#include "src/bootstrap/environment.h"
#include "src/topology/host_identity.h"
#include "src/topology/host_topology.h"
#include "src/topology/network_interfaces.h"
#include "src/topology/usable_cores.h"

namespace atl::tools {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

}  // namespace

std::string describeBuild() {
  int version = 0;
  atollGetVersion(&version);
  std::string text = fmt::format("  version {}.{}.{}, {}, {}\n", version / 10000, version / 100 % 100, version % 100,
                                 kBuildType, kCompiler);
  for (const BuildFeature& feature : kBuildFeatures) {
    text += feature.on ? fmt::format("  {}: on\n", feature.name)
                       : fmt::format("  {}: off ({})\n", feature.name, feature.reason);
  }
  return text;
}

std::string describeHost(const Settings& settings) {
  const HostTopology& host = hostTopology();
  std::string text = fmt::format("  {} (identity {:016x})\n", hostName(), hostIdentity(settings));
  text += fmt::format("  packages {}, NUMA nodes {}, cores {}, hardware threads {}\n", host.packages, host.numaNodes,
                      host.cores, host.pus);
  text += host.lastLevelCacheBytes == 0
              ? std::string("  last-level cache unknown\n")
              : fmt::format("  last-level cache {:.1f} MiB\n", static_cast<double>(host.lastLevelCacheBytes) / kMiB);
  return text + fmt::format("  CPUs that this process may use: {}\n", usableCores());
}

std::string describeNetwork(const Settings& settings) {
  const auto available = networkInterfaces();
  if (!available.ok()) return fmt::format("  {}\n", available.error().text);
  const auto chosen = chooseAddresses(*available, settings);
  std::string text;
  for (const InterfaceAddress& address : *available) {
    const bool offered = chosen.ok() && std::ranges::any_of(chosen->addresses, [&](const InterfaceAddress& other) {
                           return other.interface == address.interface && other.ip == address.ip;
                         });
    text += fmt::format("  {} {:<12} {}{}{}{}{}\n", offered ? "*" : " ", address.interface, address.text(),
                        address.up ? "" : ", down", address.loopback ? ", loopback" : "",
                        address.virtualBridge ? ", virtual bridge" : "",
                        address.megabitsPerSecond > 0 ? fmt::format(", {} Mbit/s", address.megabitsPerSecond) : "");
  }
  return text + (chosen.ok() ? fmt::format("  * is offered to peers: {}\n", chosen->reason)
                             : fmt::format("  none can be offered: {}\n", chosen.error().text));
}

std::string describeLaunch() {
  const auto launch = detectLaunch();
  if (!launch.ok()) return fmt::format("  {}\n", launch.error().text);
  if (!*launch) return "  none: a program started like this is alone\n";
  const LaunchEnvironment& place = **launch;
  const std::string local =
      place.localProcess == kNoRank ? std::string() : fmt::format(", {} on this host", place.localProcess);
  return fmt::format("  {}: process {} of {}{}\n", place.launcher, place.process, place.processes, local);
}

}  // namespace atl::tools
