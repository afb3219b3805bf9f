// SPDX-License-Identifier: Apache-2.0
// The receiving side of a queue pair. The caller holds the world's lock.
#pragma once

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

/// A request from the partner, which has come all the way.
void takeRequest(World& all, QueuePair& qp, const Packet& packet);

}  // namespace fakeverbs
