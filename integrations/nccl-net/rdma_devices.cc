// SPDX-License-Identifier: Apache-2.0
#include <endian.h>

#include <algorithm>

#include "integrations/nccl-net/devices.h"
#include "transports/rdma/port.h"

namespace atl::netplugin {

Result<std::vector<Device>> rdmaDevices(const Settings& settings) {
  ATOLL_ASSIGN(auto ports, rdma::findPorts(settings.rdma, 0));
  std::erase_if(ports, [](const rdma::Port& port) { return !port.works(); });  // NCCL asks once
  // By number NCCL names a device to other processes of the host, which are near to other ones.
  std::ranges::sort(ports, {}, &rdma::Port::name);
  std::vector<Device> devices;
  for (const rdma::Port& port : ports) {
    const ibv_device_attr& card = port.nic->attributes();
    Device& device = devices.emplace_back();
    device.name = port.name();
    device.transport = "rdma";
    device.pciPath = port.nic->folder();
    device.guid = be64toh(card.sys_image_guid != 0 ? card.sys_image_guid : card.node_guid);
    device.port = port.number;
    device.megabits = port.megabits();
    device.speedKnown = device.megabits > 0;
    if (!device.speedKnown) device.megabits = kAssumedMegabits;
    device.mostConnections = std::max(card.max_qp / std::max(settings.rdma.queuePairs, 1), 1);
    device.settings = settings;
    // The others stand by only where NCCL does not choose the port.
    device.settings.rdma.devices = "=" + port.name();
    device.settings.rdma.rails = 1;
  }
  return devices;
}

}  // namespace atl::netplugin
