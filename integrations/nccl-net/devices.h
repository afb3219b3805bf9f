// SPDX-License-Identifier: Apache-2.0
// The devices that the plug-in shows to NCCL, each of which is one way for one transport to go.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/base/settings.h"

namespace atl::netplugin {

struct Device {
  std::string name;         ///< "eth0", "mlx5_0:1"
  std::string transport;    ///< "tcp"
  std::string pciPath;      ///< in /sys; empty: it is on no bus
  std::uint64_t guid = 0;   ///< of the card
  int port = 0;             ///< of the card
  int megabits = 0;         ///< a second
  bool speedKnown = false;  ///< else it is assumed
  int mostConnections = 0;
  Settings settings;  ///< the process's, narrowed to this device
};

/// By the transport that the settings name (ATOLL_NCCL_NET_TRANSPORT), or else rdma where there is a port, else tcp.
/// At least one; the error says why there is none.
Result<std::vector<Device>> findDevices(const Settings& settings);

/// Each for one transport. rdma and ucx: an error where the build does not have them.
Result<std::vector<Device>> tcpDevices(const Settings& settings);
Result<std::vector<Device>> ucxDevices(const Settings& settings);
Result<std::vector<Device>> rdmaDevices(const Settings& settings);

/// What is told to NCCL of a network whose speed nobody knows, as its own plug-ins do.
inline constexpr int kAssumedMegabits = 10'000;

}  // namespace atl::netplugin
