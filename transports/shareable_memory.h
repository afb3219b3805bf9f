// SPDX-License-Identifier: Apache-2.0
// Memory of this process that processes of its host can map, so that they read messages where they lie: what
// atollMemAlloc gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "src/base/result.h"

namespace atl {

/// A place in shareable memory, as it is told to a reader in another process.
struct SharedPlace {
  std::uint64_t area;       ///< the area's number, from 1 on, never used twice in this process
  std::uint64_t areaBytes;  ///< size of the whole area
  std::uint64_t offset;     ///< from the beginning of the area
  std::int32_t descriptor;  ///< of the area's file, in the process that owns it
};

/// Page-aligned memory of `bytes` zero bytes. Small requests, and those for which the system has no descriptor left,
/// are met with private memory, which works like any other buffer. Pages are taken now where the system gives huge ones
/// (huge_pages.h), on the calling thread's node, and else when they are first touched, on the node of the thread that
/// does so. Thread-safe, as are the others.
Result<void*> allocateShareable(std::size_t bytes);

/// Gives back what allocateShareable gave. Its pages go at once, whoever may still have them mapped. False: `memory` is
/// not the beginning of live memory of allocateShareable.
bool freeShareable(void* memory);

/// Where memory lies for other processes; nothing if they cannot map it. Takes no lock unless areas came or went since
/// this thread asked last.
std::optional<SharedPlace> findShareable(const void* memory, std::size_t bytes);

}  // namespace atl
