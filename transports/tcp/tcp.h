// SPDX-License-Identifier: Apache-2.0
// Ranks that only a network joins: a message link over one or more TCP connections.
#pragma once

#include <memory>

#include "transports/transport.h"

namespace atl {

std::unique_ptr<Transport> makeTcp(const TransportContext& context);

}  // namespace atl
