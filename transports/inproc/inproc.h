// SPDX-License-Identifier: Apache-2.0
// Ranks that are threads of one process: a memory link to a mail region on the heap, and direct references into the
// peer's buffers.
#pragma once

#include <memory>

#include "transports/transport.h"

namespace atl {

std::unique_ptr<Transport> makeInproc(const TransportContext& context);

}  // namespace atl
