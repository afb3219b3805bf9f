// SPDX-License-Identifier: Apache-2.0
// NCCL's environment variables: those that mean something here, and the others by name.
#pragma once

namespace atl::nccl {

/// NCCL_SOCKET_IFNAME, whose syntax is ATOLL_SOCKET_IFNAME's; null where it is not set, or the latter is.
const char* interfaces();

/// Once a process: a line, with ATOLL_DEBUG=info or NCCL_DEBUG set, that names every NCCL_ variable that has no effect.
void nameIgnored();

}  // namespace atl::nccl
