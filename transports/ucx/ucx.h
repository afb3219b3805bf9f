// SPDX-License-Identifier: Apache-2.0
// Ranks that UCX can join: a message link over UCP, for fabrics that UCX knows best. Used only where ATOLL_TRANSPORT
// names it. Which of a machine's networks and which kinds of shared memory it uses is UCX's choice, and that of its own
// settings (UCX_TLS, UCX_NET_DEVICES, …), which hold here as everywhere.
#pragma once

#include <memory>
#include <string>

#include "transports/transport.h"

namespace atl {

std::unique_ptr<Transport> makeUcx(const TransportContext& context);

/// Why this process cannot use UCX; empty if its library is there. Opens it.
std::string whyNoUcx();

}  // namespace atl
