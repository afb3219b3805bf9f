// SPDX-License-Identifier: Apache-2.0
// How many chunks of staging memory a rank's links may hold together.
#pragma once

#include <cstddef>

#include "transports/rdma/buffer_pool.h"

namespace atl::rdma {

/// Chunks that are handed out freely: 8 MiB, what a fast port moves while a core copies some of them.
inline constexpr std::size_t kFreeChunks = 32;

/// Beyond that, who holds one waits until it comes back; who holds none may always take one, so that no link waits for
/// what another holds.
inline bool mayTakeChunk(const BufferPool& chunks, std::size_t held) {
  return held == 0 || chunks.taken() < kFreeChunks;
}

}  // namespace atl::rdma
