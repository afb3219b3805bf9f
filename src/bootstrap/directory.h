// SPDX-License-Identifier: Apache-2.0
// Who is where: the compact table that every rank has after the rendezvous.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "src/base/types.h"
#include "src/topology/cpu_list.h"

namespace atl {

/// Secret of a group, from its unique id. Proves membership; never logged.
using Secret = std::array<std::uint8_t, 32>;

/// An IP endpoint: IPv4 addresses are stored as IPv4-mapped IPv6.
struct NetAddress {
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;
  std::uint16_t scope = 0;  ///< interface index of a link-local address, on its own host

  friend bool operator==(const NetAddress&, const NetAddress&) = default;
  [[nodiscard]] std::string text() const;  ///< "10.0.0.1:4000", "[fe80::1]:4000"
};

/// What a process says of itself once, whatever the number of its ranks.
struct ProcessInfo {
  std::uint64_t id = 0;       ///< random; tells this process from every other
  std::uint64_t host = 0;     ///< hash of the host's identity: equal = same kernel and same network namespace
  std::uint64_t machine = 0;  ///< hash of the running kernel's identity: hosts that are only namespaces share CPUs
  std::string hostName;       ///< for people
  std::int32_t pid = 0;
  std::uint32_t transports = 0;       ///< bits of the transports that it has and is allowed to use
  std::vector<NetAddress> addresses;  ///< listening endpoints for streams, best first
  std::uint16_t rails = 1;            ///< the first so many of them are alike: streams are spread over these
  std::string localName;              ///< abstract Unix socket for streams between processes of one host; may be empty
  std::int32_t cores = 1;             ///< CPUs that this process may keep busy (affinity and cgroup)
  CpuList cpus;                       ///< those that its affinity allows; empty: not known, or too many to list
  std::uint64_t tuning = 0;           ///< hash of its tuning table (ATOLL_TUNING); 0: it has none
  std::uint64_t topology = 0;         ///< hash of its topology file (ATOLL_TOPOLOGY); 0: it has none
  std::uint64_t fabric = 0;           ///< of its accelerators, over several hosts; 0: none
  std::string island;                 ///< where it was told that it is (ATOLL_ISLAND); may be empty
  std::int16_t package = -1;          ///< of its host, that it is bound to; −1: none in particular
  std::uint32_t megabits = 0;         ///< a second, of one of the addresses that are alike; 0: not known
};

/// A few bytes per rank, one ProcessInfo per process.
struct Directory {
  std::vector<ProcessInfo> processes;
  std::vector<std::uint32_t> processOf;  ///< by rank
  Secret secret{};

  [[nodiscard]] Rank ranks() const { return static_cast<Rank>(processOf.size()); }
  [[nodiscard]] const ProcessInfo& process(Rank rank) const {
    return processes[processOf[static_cast<std::size_t>(rank)]];
  }
  [[nodiscard]] bool sameProcess(Rank a, Rank b) const {
    return processOf[static_cast<std::size_t>(a)] == processOf[static_cast<std::size_t>(b)];
  }
  [[nodiscard]] bool sameHost(Rank a, Rank b) const { return process(a).host == process(b).host; }
  /// The place of a rank's process among those of its host, from 0.
  [[nodiscard]] std::size_t placeOnHost(Rank rank) const;
  /// "rank 3 (host n07, pid 4711)".
  [[nodiscard]] std::string name(Rank rank) const;
};

}  // namespace atl
