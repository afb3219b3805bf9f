// SPDX-License-Identifier: Apache-2.0
// From the hardware to completion queues. The caller holds the world's lock.
#pragma once

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

/// Gives the queue pair's completion to its queue, now or when faults let it.
void complete(World& all, QueuePair& qp, Completion completion);

/// Completions whose time has come.
void deliverDelayed(World& all, Time now);

/// What holdCompletions kept back.
void releaseHeld(World& all, QueuePair& qp);

/// Removes what a queue pair that goes has completed and nobody polled, as drivers do.
void forgetCompletions(World& all, QueuePair& qp);

void raiseEvent(QueuePair& qp, ibv_event_type type);

/// What the verbs leave undefined in a failed completion is filled with values that mislead.
ibv_wc failed(const QueuePair& qp, std::uint64_t id, ibv_wc_status status, bool ofSend);

}  // namespace fakeverbs
