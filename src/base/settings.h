// SPDX-License-Identifier: Apache-2.0
// The one registry of what a user can set through the environment. It gives the values, the table in
// docs/settings.md (`atoll info --settings-markdown`), and the warning for an unknown ATOLL_* variable.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "src/base/paths.h"
#include "src/base/result.h"

namespace atl {

/// One row of the registry, for documentation.
struct SettingInfo {
  std::string_view name;          ///< environment variable, "ATOLL_TIMEOUT"
  std::string_view type;          ///< "seconds", "bytes", "name list", "on/off", …
  std::string_view defaultValue;  ///< as text
  std::string_view meaning;       ///< one sentence
};

/// How the transport rdma uses the ports of the machine.
struct RdmaSettings {
  std::string devices;           ///< ATOLL_RDMA_DEVICES: "mlx5_0,mlx5_1:2"; = for whole names, ^ for all but these
  int gidIndex = -1;             ///< ATOLL_RDMA_GID_INDEX: row of the port's GID table; -1: chosen
  int trafficClass = 0;          ///< ATOLL_RDMA_TRAFFIC_CLASS: of RoCE's packets (DSCP and ECN)
  int serviceLevel = 0;          ///< ATOLL_RDMA_SERVICE_LEVEL: InfiniBand's, or RoCE's priority
  int mtu = 0;                   ///< ATOLL_RDMA_MTU: most payload of a packet; 0: the port's
  int timeout = 16;              ///< ATOLL_RDMA_TIMEOUT: a packet is sent again after 4.096 µs · 2^this
  int retries = 6;               ///< ATOLL_RDMA_RETRIES: so many times
  int rails = 1;                 ///< ATOLL_RDMA_RAILS: ports that a link uses side by side
  int queuePairs = 1;            ///< ATOLL_RDMA_QUEUE_PAIRS: of a link, where they are more than its ports
  bool adaptiveRouting = false;  ///< ATOLL_RDMA_ADAPTIVE_ROUTING: data first, then word of it
  bool relaxedOrdering = true;   ///< ATOLL_RDMA_RELAXED_ORDERING: of writes to data memory
  /// ATOLL_RDMA_RETURN: a link goes back to a port that failed when it has worked for so many seconds
  double returnSeconds = 5;
};

/// How network plug-ins of NCCL are used, and how Atoll is one.
struct NcclNetSettings {
  std::string plugins;    ///< ATOLL_NCCL_NET_PLUGIN: the first of these that works; empty: NCCL_NET_PLUGIN's
  std::string device;     ///< ATOLL_NCCL_NET_DEVICE: one of the plug-in's; empty: chosen
  std::string transport;  ///< ATOLL_NCCL_NET_TRANSPORT: what libnccl-net-atoll.so carries data by; empty: chosen
};

/// Values read once from the environment. A communicator keeps its own copy, which its config may override.
/// Fields are documented by the registry's rows in settings.cc, in the same order.
struct Settings {
  double timeoutSeconds = 120;          ///< ATOLL_TIMEOUT: limit of any wait; 0 = none
  double bootstrapTimeoutSeconds = 60;  ///< ATOLL_BOOTSTRAP_TIMEOUT: limit for every rank to come
  std::string algorithms;               ///< ATOLL_ALGO: "ring" or "allreduce:ring,broadcast:chain"
  std::string transports;               ///< ATOLL_TRANSPORT: allowed transports, "inproc,shm,tcp"
  std::string interfaces;               ///< ATOLL_SOCKET_IFNAME: names, prefixes, ^ to exclude, = for exact, or CIDR
  std::string addressFamily;            ///< ATOLL_SOCKET_FAMILY: "4", "6" or empty for either
  int socketsPerPeer = 1;               ///< ATOLL_SOCKETS_PER_PEER
  std::string congestionControl;        ///< ATOLL_TCP_CONGESTION: e.g. "bbr"; "system"; empty: the transport's choice
  RdmaSettings rdma;                    ///< ATOLL_RDMA_…
  NcclNetSettings ncclNet;              ///< ATOLL_NCCL_NET_…
  std::string hostId;                   ///< ATOLL_HOSTID: overrides the identity that decides "same host"
  std::uint64_t slotBytes = 64 << 10;   ///< ATOLL_SLOT_BYTES: size of one bounce slot
  int slots = 16;                       ///< ATOLL_SLOTS: bounce slots of a rank
  bool direct = true;                   ///< ATOLL_DIRECT: other processes read shareable memory in place
  std::uint64_t tileBytes = 1 << 20;    ///< ATOLL_TILE_BYTES: data of one pass of a pipelined plan
  int spin = -1;                        ///< ATOLL_SPIN: polls before a wait yields; -1: chosen from ranks and cores
  Paths paths;                          ///< ATOLL_PATHS: fast paths forced on or off
  bool checkCalls = true;               ///< ATOLL_CHECK: ranks compare what they call
  std::string planFile;                 ///< ATOLL_PLAN_FILE: a plan of the user's own, JSON
  std::string tuningFile;               ///< ATOLL_TUNING: measured choices of algorithms, JSON
  std::string topologyFile;             ///< ATOLL_TOPOLOGY: islands and what joins them, YAML
  int device = -1;                      ///< no variable: CUDA device that buffers lie on; -1: host memory
  bool peerAccess = true;               ///< ATOLL_CUDA_P2P: devices of a host reach each other's memory
  std::string island;                   ///< ATOLL_ISLAND: this process's islands, outer to inner: "pod3/host7"

  /// Reads the environment. A value that cannot be read is an error naming the variable and the value; an unknown
  /// ATOLL_* variable is warned of once, with the nearest known name.
  static Result<Settings> fromEnvironment();
};

/// Every setting there is, in the order of the documentation.
std::span<const SettingInfo> settingTable();

/// "64K", "1M", "2G" (binary), or plain digits. Errors name the text.
Result<std::uint64_t> parseBytes(std::string_view text);

}  // namespace atl
