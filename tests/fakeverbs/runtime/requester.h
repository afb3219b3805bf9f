// SPDX-License-Identifier: Apache-2.0
// The sending side of a queue pair: packets in order, a window of them on their way, tries again from the first that is
// not acknowledged. The caller holds the world's lock.
#pragma once

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

/// Sends the next packet. False if there is nothing to send before something else happens.
bool sendNext(World& all, QueuePair& qp);

/// The pause is over.
void resume(World& all, QueuePair& qp);

/// An answer of the partner, or a notice of a loss.
void takeAnswer(World& all, QueuePair& qp, const Packet& packet);

/// Packets of this attempt do not arrive.
void noteLoss(World& all, QueuePair& qp, std::uint32_t attempt);

}  // namespace fakeverbs
