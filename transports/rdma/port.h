// SPDX-License-Identifier: Apache-2.0
// The ports by which this process can reach others, and what to use of each.
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
  GidEntry gid;
  ibv_mtu mtu = IBV_MTU_1024;  ///< of packets
  std::uint16_t lid = 0;       ///< InfiniBand's address; 0 on Ethernet
  bool ethernet = false;

  /// As the device says at present.
  [[nodiscard]] bool isUp() const;
  /// Its link's speed, Mbit a second, as the device says at present; 0: it does not.
  [[nodiscard]] int megabits() const;
  [[nodiscard]] std::string name() const;      ///< "mlx5_0:1"
  [[nodiscard]] std::string describe() const;  ///< "mlx5_0:1 (gid 3, RoCEv2 10.0.0.1, MTU 4096)"
};

/// Ports that are up, have an address and are allowed by the settings, those near this process's cores first, and among
/// equals each process's from another place on, by `turn`, so that the processes of a host spread over them. Without
/// any, the error says of each why not, and what to do.
Result<std::vector<Port>> findPorts(const RdmaSettings& settings, std::size_t turn);

}  // namespace atl::rdma
