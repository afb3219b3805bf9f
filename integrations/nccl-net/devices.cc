// SPDX-License-Identifier: Apache-2.0
#include "integrations/nccl-net/devices.h"

#include <net/if.h>

#include <algorithm>

#include "src/topology/device_order.h"
#include "src/topology/network_interfaces.h"
#include "transports/transport.h"

namespace atl::netplugin {
namespace {

/// Each takes descriptors; a process rarely may have more.
constexpr int kMostSockets = 65'536;

Result<std::vector<InterfaceAddress>> chosenAddresses(const Settings& settings) {
  ATOLL_ASSIGN(const auto available, networkInterfaces());
  ATOLL_ASSIGN(auto choice, chooseAddresses(available, settings));
  return std::move(choice.addresses);
}

void setSpeed(Device& device, int megabits) {
  device.speedKnown = megabits > 0;
  device.megabits = device.speedKnown ? megabits : kAssumedMegabits;
}

}  // namespace

Result<std::vector<Device>> tcpDevices(const Settings& settings) {
  ATOLL_ASSIGN(const auto addresses, chosenAddresses(settings));
  std::vector<Device> devices;
  for (const InterfaceAddress& address : addresses) {
    if (std::ranges::any_of(devices, [&](const Device& known) { return known.name == address.interface; })) continue;
    Device& device = devices.emplace_back();
    device.name = address.interface;
    device.transport = "tcp";
    device.pciPath = folderBehind("/sys/class/net/" + address.interface + "/device");
    device.guid = ::if_nametoindex(address.interface.c_str());
    setSpeed(device, address.megabitsPerSecond);
    device.mostConnections = kMostSockets / std::max(settings.socketsPerPeer, 1);
    device.settings = settings;
    device.settings.interfaces = "=" + address.interface;
  }
  return devices;
}

Result<std::vector<Device>> ucxDevices(const Settings& settings) {
  ATOLL_TRY(transportsAtHand("ucx"));
  ATOLL_ASSIGN(const auto addresses, chosenAddresses(settings));
  Device device;
  device.name = "ucx";
  device.transport = "ucx";
  setSpeed(device, addresses.front().megabitsPerSecond);
  device.mostConnections = kMostSockets;
  device.settings = settings;
  return std::vector{device};
}

#ifndef ATOLL_NET_PLUGIN_RDMA
Result<std::vector<Device>> rdmaDevices(const Settings& /*settings*/) {
  return makeError(ErrorCode::unsupported, "this build does not have the transport rdma");
}
#endif

Result<std::vector<Device>> findDevices(const Settings& settings) {
  const std::string& wanted = settings.ncclNet.transport;
  if (wanted == "tcp") return tcpDevices(settings);
  if (wanted == "ucx") return ucxDevices(settings);
  auto devices = rdmaDevices(settings);
  if (wanted == "rdma" || devices.ok()) return devices;
  return tcpDevices(settings);
}

}  // namespace atl::netplugin
