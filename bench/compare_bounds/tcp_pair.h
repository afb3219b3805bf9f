// SPDX-License-Identifier: Apache-2.0
// Two connected sockets of this process, perhaps in different network namespaces: a raw TCP connection to measure.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/base/unique_fd.h"

namespace atl::perf {

/// Where the two ends lie.
struct TcpRoute {
  std::string from;                   ///< network namespace of one end, as `ip netns` names it; empty: this process's
  std::string to;                     ///< that of the other end
  std::string address = "127.0.0.1";  ///< IPv4 address of the other end
};

struct TcpPair {
  UniqueFd from;
  UniqueFd to;
};

/// Connects the ends, without delay for small messages, and with this congestion control (empty: the system's). An
/// error if a namespace cannot be entered, nothing can listen at the address, or the kernel has no such congestion
/// control.
Result<TcpPair> connectPair(const TcpRoute& route, const std::string& congestionControl);

/// What this kernel offers, the system's own choice first.
Result<std::vector<std::string>> congestionControls();

}  // namespace atl::perf
