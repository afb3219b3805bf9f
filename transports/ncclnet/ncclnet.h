// SPDX-License-Identifier: Apache-2.0
// Ranks that a network plug-in of NCCL joins: a message link over whatever fabric the plug-in is for. Used only where
// ATOLL_TRANSPORT names it.
#pragma once

#include <memory>
#include <string>

#include "transports/transport.h"

namespace atl {

std::unique_ptr<Transport> makeNcclNet(const TransportContext& context);

/// Why this process has no plug-in that it can use; empty if it has one. Opens and initialises it.
std::string whyNoNcclNet();

}  // namespace atl
