// SPDX-License-Identifier: Apache-2.0
// The hardware: one thread that sends, receives, waits and completes. The caller holds the world's lock.
#pragma once

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

/// At the first adapter opened; it runs until the process ends.
void startEngine(World& all);
void wakeEngine(World& all);

/// The queue pair may have something to send.
void makeReady(World& all, QueuePair& qp);

/// The queue pair sends nothing for a while.
void pauseQueuePair(World& all, QueuePair& qp, QueuePair::Pause why);

}  // namespace fakeverbs
