// SPDX-License-Identifier: Apache-2.0
// What shall go wrong at a port. The caller holds the world's lock.
#pragma once

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

void planLoss(Port& port, int which, int count, Traffic traffic);
void planDown(Port& port, int packets);

/// The fault of the `which`-th work request from now on, to be filled in.
WorkFault& workFault(Port& port, int which);

/// Counts a packet that the port is about to send; true if it shall be lost.
bool countAndLose(World& all, Device& device, int port, Traffic traffic);

/// Counts a work request that the port begins to send, and gives it its fault. True if its queue pair shall break.
bool countAndMark(Port& port, Send& work);

}  // namespace fakeverbs
