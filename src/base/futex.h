// SPDX-License-Identifier: Apache-2.0
// Sleeping on words of memory, which may be shared between processes, until somebody wakes the sleeper.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/clock.h"

namespace atl {

using FutexWord = std::atomic<std::uint32_t>;
static_assert(sizeof(FutexWord) == sizeof(std::uint32_t) && FutexWord::is_always_lock_free);

/// Words that one thread can sleep on at a time, where the kernel can do it with several (Linux 5.16).
inline constexpr std::size_t kMostFutexWords = 128;

/// Sleeps until one of the words is woken, or `limit` is over, or a signal comes; not at all if one of them is not
/// `value`. False if this system cannot sleep on so many words. Allocates nothing.
bool sleepWhile(std::span<FutexWord* const> words, std::uint32_t value, Duration limit);

/// Wakes whoever sleeps on the word.
void wakeSleepers(FutexWord& word);

}  // namespace atl
