// SPDX-License-Identifier: Apache-2.0
// A memory fence that one thread makes for all. Where one side of a protocol needs a fence often and the other rarely,
// the rare side pays for both.
#pragma once

namespace atl {

/// Lets heavyFence() reach every thread of this process. False where the kernel has no such thing or refuses it.
/// Idempotent, from any thread; costs a system call the first time only.
bool joinHeavyFences();

/// When this returns, every thread of every process that has joined has passed a full memory fence since the call. The
/// threads themselves need only keep the compiler from moving what is to be ordered (std::atomic_signal_fence). Only
/// after joinHeavyFences() gave true. A system call and an interrupt of each core that runs such a thread.
void heavyFence();

}  // namespace atl
