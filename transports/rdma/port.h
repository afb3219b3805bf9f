// SPDX-License-Identifier: Apache-2.0
// The ports by which this process can reach others, now or later, and what to use of each.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "src/base/settings.h"
#include "transports/rdma/gid.h"
#include "transports/rdma/nic.h"

namespace atl::rdma {

struct Port {
  std::shared_ptr<Nic> nic;
  std::uint8_t number = 1;
  std::string missing =
      "it has not been looked at";  ///< why it cannot be used: "mlx5_0:1: it is down: …"; empty: it can
  unsigned news = 0;                ///< of the device's, when it was looked at
  GidEntry gid;
  ibv_mtu mtu = IBV_MTU_1024;  ///< of packets
  std::uint16_t lid = 0;       ///< InfiniBand's address; 0 on Ethernet
  bool ethernet = false;

  /// Looks at how it is, and what of it to use.
  void examine(const RdmaSettings& settings);
  /// It could be used when it was last looked at, and its device has not said since that it is down.
  [[nodiscard]] bool works() const { return missing.empty() && !nic->saidDown(number); }
  /// It works, and is up as the device says when it is asked.
  [[nodiscard]] bool isUp() const;
  /// Its link's speed, Mbit a second, as the device says at present; 0: it does not.
  [[nodiscard]] int megabits() const;
  [[nodiscard]] std::string name() const;      ///< "mlx5_0:1"
  [[nodiscard]] std::string describe() const;  ///< "mlx5_0:1 (gid 3, RoCEv2 10.0.0.1, MTU 4096)"

 private:
  Status look(const RdmaSettings& settings);
};

/// Ports that are allowed by the settings, those nearest to the caller first, and among these each process's from
/// another place on, by `turn`, so that the processes of a host spread over them (src/topology/device_order.h). Those
/// that cannot be used yet, since they are down or have no address, are among them: they may come. Without any that
/// works, the error says of each why not, and what to do.
Result<std::vector<Port>> findPorts(const RdmaSettings& settings, std::size_t turn);

/// Ports that are allowed by the settings, of devices that are not among those known.
std::vector<Port> portsOfNewDevices(const RdmaSettings& settings, const std::vector<std::shared_ptr<Nic>>& known);

}  // namespace atl::rdma
