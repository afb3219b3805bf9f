// SPDX-License-Identifier: Apache-2.0
// From port to port, within the process and beyond. The caller holds the world's lock.
#pragma once

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

/// Sends a packet to the queue pair's partner. False if a request is lost here; of a lost answer the requester is told.
bool transmit(World& all, QueuePair& qp, Packet packet, bool doomed);

/// A packet for a queue pair of this process.
void arrive(World& all, const Packet& packet);

/// The packet cannot be delivered: tells the requester.
void reportLoss(World& all, const Header& lost);

}  // namespace fakeverbs
