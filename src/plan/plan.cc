// SPDX-License-Identifier: Apache-2.0
#include "src/plan/plan.h"

#include "src/base/hash.h"

namespace atl {

namespace {

/// Position of `start + k·stride` on a circle of `size` places; strides may be negative.
std::int32_t advanced(std::int32_t start, std::int32_t k, std::int32_t stride, std::int32_t size) {
  const std::int64_t place = (start + std::int64_t{k} * stride) % size;
  return static_cast<std::int32_t>(place < 0 ? place + size : place);
}

}  // namespace

Chunk atRepetition(const Chunk& chunk, std::int32_t k, std::int32_t scratchSlots) {
  Chunk now = chunk;
  if (chunk.stride != 0) now.index = advanced(chunk.index, k, chunk.stride, chunk.parts);
  if (chunk.slotStride != 0 && scratchSlots > 0) now.slot = advanced(chunk.slot, k, chunk.slotStride, scratchSlots);
  now.stride = 0;
  now.slotStride = 0;
  return now;
}

Rank atRepetition(const Peer& peer, std::int32_t k, Rank ranks) {
  return advanced(peer.rank, k, peer.stride, ranks);
}

std::uint64_t generatedFamilyHash(const Plan& plan) {
  std::uint64_t hash = hashText(plan.algorithm, static_cast<std::uint64_t>(plan.version));
  hash = hashCombine(hash, plan.collective);
  hash = hashCombine(hash, plan.ranks);
  hash = hashCombine(hash, plan.root);
  return hashCombine(hash, plan.shares);
}

}  // namespace atl
