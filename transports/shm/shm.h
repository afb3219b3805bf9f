// SPDX-License-Identifier: Apache-2.0
// Ranks in different processes of one host: a memory link to a mail region in shared memory, and the peer's outbox
// mapped read-only.
//
// The memory has no name: it is handed over through a socket and goes when the last process that maps it ends, however
// it ends.
#pragma once

#include <memory>

#include "transports/transport.h"

namespace atl {

std::unique_ptr<Transport> makeShm(const TransportContext& context);

}  // namespace atl
