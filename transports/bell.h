// SPDX-License-Identifier: Apache-2.0
// How a rank that sleeps in a long wait is woken over a memory link.
//
// A rank that is about to sleep says so in its bell, looks once more whether anything has come, and sleeps on it. A
// peer looks at the bell whenever it has stored something that the rank may wait for. For the peer that is one load of
// a line that nobody writes but around a long sleep, so it stays in the peer's cache.
//
// Nothing is missed: either the sleeper's last look finds what the peer stored, or the peer's look finds the sleeper.
// Each side stores, then loads what the other stores, and so needs a fence between the two. The peer, for whom it would
// cost as much as a small message does, only keeps the compiler from exchanging them; the sleeper makes the fence for
// both (heavy_fence.h). Between its announcement and its sleep the bell may be rung: the kernel then finds the word
// changed and does not let it sleep.
#pragma once

#include <atomic>

#include "src/base/futex.h"
#include "src/base/heavy_fence.h"

namespace atl {

/// One end's, in memory that both ends share. All zero is the valid initial state.
struct Bell {
  FutexWord asleep;  ///< 1 while its owner sleeps or is about to; its owner sets it, either end takes it back
  std::atomic<std::uint32_t> heard;  ///< set once by the peer: it looks at `asleep`, and heavy fences reach it
};

/// The peer's part: called after every store that the bell's owner may wait for.
inline void ring(Bell& bell) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (bell.asleep.load(std::memory_order_relaxed) == 0) [[likely]]
    return;
  if (bell.asleep.exchange(0, std::memory_order_relaxed) != 0) wakeSleepers(bell.asleep);
}

/// The peer's promise to ring, given when it has the link.
inline void promiseToRing(Bell& bell) {
  if (joinHeavyFences()) bell.heard.store(1, std::memory_order_relaxed);
}

}  // namespace atl
