// SPDX-License-Identifier: Apache-2.0
// Ranks that RDMA joins: a message link over queue pairs of libibverbs, on RoCE and InfiniBand. Used only where
// ATOLL_TRANSPORT names it. The settings ATOLL_RDMA_… say which ports, and how.
#pragma once

#include <memory>
#include <string>

#include "transports/transport.h"

namespace atl {

std::unique_ptr<Transport> makeRdma(const TransportContext& context);

/// Why this process cannot use RDMA; empty if the library is there, and a port that can be used.
std::string whyNoRdma();

}  // namespace atl
