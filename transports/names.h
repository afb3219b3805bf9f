// SPDX-License-Identifier: Apache-2.0
// The names of the transports and what a user allows of them. Stands alone, so that the bootstrap can publish the bits
// without knowing any transport.
#pragma once

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/base/result.h"
#include "src/base/settings.h"

namespace atl {

/// Every transport that ever was. A name's position is its bit in ProcessInfo::transports, on every build, whether or
/// not the build has the transport: only append.
inline constexpr std::array<std::string_view, 6> kTransportNames = {"inproc", "shm", "tcp", "ucx", "rdma", "ncclnet"};

/// The same in order of preference, where several can serve. Who names ncclnet, rdma or ucx beside tcp has a reason to.
inline constexpr std::array<std::string_view, 6> kTransportPreference = {"inproc", "shm", "ncclnet",
                                                                         "rdma",   "ucx", "tcp"};

/// Bit of a transport's name in ProcessInfo::transports; 0 for a name that is none.
constexpr std::uint32_t transportBit(std::string_view name) {
  for (std::size_t i = 0; i < kTransportNames.size(); ++i) {
    if (kTransportNames[i] == name) return std::uint32_t{1} << i;
  }
  return 0;
}

/// What a user who names none allows: inproc, shm and tcp. UCX only on demand: it brings a thread, signal handlers and
/// memory hooks into the process. RDMA and plug-ins of NCCL's only on demand as long as they have not been seen to work
/// on a fabric of hardware.
inline constexpr std::uint32_t kDefaultTransports = transportBit("inproc") | transportBit("shm") | transportBit("tcp");

/// Those whose links are memory, which both ends load and store. The others carry messages.
inline constexpr std::uint32_t kMemoryTransports = transportBit("inproc") | transportBit("shm");
inline constexpr std::uint32_t kAllTransports = (std::uint32_t{1} << kTransportNames.size()) - 1;
inline constexpr std::uint32_t kMessageTransports = kAllTransports & ~kMemoryTransports;

/// The bits that ATOLL_TRANSPORT names; kDefaultTransports when it is empty. An unknown name is an error that lists the
/// known ones.
inline Result<std::uint32_t> allowedTransports(const Settings& settings) {
  std::string_view rest = settings.transports;
  std::uint32_t bits = 0;
  while (!rest.empty()) {
    const auto comma = std::min(rest.find(','), rest.size());
    std::string_view name = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (name.empty()) continue;
    const std::uint32_t bit = transportBit(name);
    if (bit == 0) {
      return makeError(ErrorCode::invalidArgument, "ATOLL_TRANSPORT names '{}', which is not a transport: known are {}",
                       name, fmt::join(kTransportNames, ", "));
    }
    bits |= bit;
  }
  if (bits == 0) bits = kDefaultTransports;
  return bits;
}

}  // namespace atl
