// SPDX-License-Identifier: Apache-2.0
// States of queue pairs. The caller holds the world's lock.
#pragma once

#include "tests/fakeverbs/runtime/world.h"

namespace fakeverbs {

/// EINVAL if nothing can be sent along the path from the adapter.
int pathError(const Device& device, const ibv_ah_attr& path);

/// Moves the queue pair as the attributes say, or returns why not. What each step needs and may change is the table of
/// the InfiniBand specification that the kernel checks, too.
int modify(World& all, QueuePair& qp, const ibv_qp_attr& wanted, int mask);

/// The queue pair is in error; all that was posted to it completes as flushed. The partner learns nothing.
void enterError(World& all, QueuePair& qp);

/// Forgets all that was posted, and completions that nobody polled.
void empty(World& all, QueuePair& qp);

}  // namespace fakeverbs
