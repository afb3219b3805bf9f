// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/machine_text.h"

#include <fmt/format.h>

#include <vector>

#include "src/topology/units.h"

namespace atl::tools {
namespace {

std::string plural(int count, std::string_view name) {
  return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
}

}  // namespace

std::string deviceText(const MachineDevice& device) {
  std::string text = device.name;
  if (!device.pciAddress.empty()) text += fmt::format(" at {}", device.pciAddress);
  if (device.kind == MachineDevice::Kind::network) {
    text += device.rate > 0 ? fmt::format(", {}", rateText(device.rate)) : std::string(", rate not known");
  }
  if (device.fabric != 0) text += fmt::format(", fabric {:016x}", device.fabric);
  return text;
}

std::string machineText(const Machine& machine) {
  std::string text = fmt::format("{}\n", machine.hostName);
  for (std::size_t p = 0; p < machine.packages.size(); ++p) {
    const bool lastPackage = p + 1 == machine.packages.size();
    const MachinePackage& package = machine.packages[p];
    text += fmt::format("{} package {}: {}, {}\n", lastPackage ? "└─" : "├─", p, plural(package.cores, "core"),
                        plural(package.numaNodes, "NUMA node"));
    std::vector<std::string> devices;
    for (const MachineDevice& device : machine.devices) {
      if (device.package == static_cast<int>(p)) devices.push_back(deviceText(device));
    }
    for (std::size_t d = 0; d < devices.size(); ++d) {
      text += fmt::format("{}  {} {}\n", lastPackage ? " " : "│", d + 1 == devices.size() ? "└─" : "├─", devices[d]);
    }
  }
  for (const std::string& remark : machine.remarks) text += fmt::format("note: {}\n", remark);
  return text;
}

}  // namespace atl::tools
