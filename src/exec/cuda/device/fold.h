// SPDX-License-Identifier: Apache-2.0
// A destination as the fold of its operands, from memory and from packets alike.
#pragma once

#include <cstdint>

#include "src/exec/cuda/device/packets.h"
#include "src/exec/cuda/device/quads.h"

namespace atl::device {

/// How the elements of a quad are reduced. A quad may be filled in part; what the rest becomes does not matter.
template <class R>
concept Reduction = requires(const R& reduction, typename R::Sum& sum, const Quad& quad, bool finish) {
  reduction.begin(sum, quad);                                                                 // the first operand
  reduction.add(sum, quad);                                                                   // and the others in order
  { reduction.end(static_cast<const typename R::Sum&>(sum), finish) } -> std::same_as<Quad>;  // with finishing or not
};

/// Where an operand that is no packets stands.
ATOLL_HOST_DEVICE inline const std::byte* memoryOf(const Incoming& operand) {
  return operand.link == nullptr ? operand.cursor.data() : operand.data;
}

/// The operand's `bytes` (at most a quad) from byte `at` of its window. False if the run is to end first.
template <Space X>
ATOLL_HOST_DEVICE bool loadQuad(X& x, const Incoming& operand, std::uint64_t at, std::uint64_t bytes, Quad& quad) {
  if (operand.packets == nullptr) {
    const std::byte* const data = memoryOf(operand);
    if (bytes == kQuadBytes && aligned(data)) {
      quad = reinterpret_cast<const Quad*>(data)[at / kQuadBytes];
      return true;
    }
    for (std::uint64_t i = 0; i < bytes; i += 4) quad.words[i / 4] = wordOf(data + at + i, bytes - i);
    return true;
  }
  // Runs may begin at any element; a word of the piece may then be part of two of the quad's.
  const Packet* const packets = operand.packets + kTagPackets;
  const std::uint64_t first = operand.offset + at;
  const auto shift = static_cast<std::uint32_t>(8 * (first % 4));
  const std::uint64_t lastWord = (first + bytes - 1) / 4;
  std::uint32_t low = 0;
  if (!take(x, packets + first / 4, operand.number, low)) return false;
  for (std::uint64_t i = 0; i < bytes; i += 4) {
    const std::uint64_t next = first / 4 + i / 4 + 1;
    std::uint32_t high = 0;
    if (next <= lastWord && !take(x, packets + next, operand.number, high)) return false;
    quad.words[i / 4] = shift == 0 ? low : low >> shift | high << (32 - shift);
    low = high;
  }
  return true;
}

ATOLL_HOST_DEVICE inline void storeQuad(std::byte* to, std::uint64_t bytes, const Quad& quad) {
  if (bytes == kQuadBytes && aligned(to)) {
    *reinterpret_cast<Quad*>(to) = quad;
    return;
  }
  for (std::uint64_t i = 0; i < bytes; ++i) to[i] = static_cast<std::byte>(quad.words[i / 4] >> (8 * (i % 4)));
}

/// Whether all that a job folds is memory, and aligned so that whole quads can be moved.
ATOLL_HOST_DEVICE inline bool allAligned(const Job& job) {
  if (!aligned(job.to)) return false;
  for (std::int32_t i = 0; i < job.operandCount; ++i) {
    if (job.operands[i].packets != nullptr || !aligned(memoryOf(job.operands[i]))) return false;
  }
  return true;
}

/// Quads number `first`, `first` + stride, …, of which the loads of each operand are under way together.
template <std::uint32_t several, Reduction R>
ATOLL_HOST_DEVICE void foldQuads(const Job& job, const R& reduction, std::uint64_t first, std::uint64_t stride) {
  Quad quads[several];
  const auto load = [&](std::int32_t operand) {
    const Quad* const from = reinterpret_cast<const Quad*>(memoryOf(job.operands[operand])) + first;
    for (std::uint32_t k = 0; k < several; ++k) quads[k] = from[k * stride];
  };
  typename R::Sum sums[several];
  load(0);
  for (std::uint32_t k = 0; k < several; ++k) reduction.begin(sums[k], quads[k]);
  for (std::int32_t operand = 1; operand < job.operandCount; ++operand) {
    load(operand);
    for (std::uint32_t k = 0; k < several; ++k) reduction.add(sums[k], quads[k]);
  }
  Quad* const to = reinterpret_cast<Quad*>(job.to) + first;
  for (std::uint32_t k = 0; k < several; ++k) to[k * stride] = reduction.end(sums[k], job.finish);
}

/// All whole quads of a job whose parts are aligned; how many bytes that are.
template <Space X, Reduction R>
ATOLL_HOST_DEVICE std::uint64_t foldAligned(X& x, const Job& job, const R& reduction) {
  // Where a quad's elements are widened, fewer quads fill the registers.
  constexpr std::uint32_t kSeveral = kUnrolled * kQuadBytes / sizeof(typename R::Sum);
  const std::uint64_t quads = job.bytes / kQuadBytes;
  const std::uint64_t stride = x.threads();
  std::uint64_t i = x.thread();
  for (; i + (kSeveral - 1) * stride < quads; i += kSeveral * stride) foldQuads<kSeveral>(job, reduction, i, stride);
  for (; i < quads; i += stride) foldQuads<1>(job, reduction, i, stride);
  return quads * kQuadBytes;
}

/// What is left of a job from byte `begin` on, a multiple of a quad; any operands. False if the run is to end first.
template <Space X, Reduction R>
ATOLL_HOST_DEVICE bool foldFrom(X& x, const Job& job, const R& reduction, std::uint64_t begin) {
  const std::uint64_t stride = x.threads() * kQuadBytes;
  for (std::uint64_t at = begin + x.thread() * kQuadBytes; at < job.bytes; at += stride) {
    const std::uint64_t bytes = job.bytes - at < kQuadBytes ? job.bytes - at : kQuadBytes;
    Quad quad{};
    if (!loadQuad(x, job.operands[0], at, bytes, quad)) return false;
    if (job.reduces()) {
      typename R::Sum sum;
      reduction.begin(sum, quad);
      for (std::int32_t i = 1; i < job.operandCount; ++i) {
        if (!loadQuad(x, job.operands[i], at, bytes, quad)) return false;
        reduction.add(sum, quad);
      }
      quad = reduction.end(sum, job.finish);
    }
    storeQuad(job.to + at, bytes, quad);
  }
  return true;
}

/// All threads of the block call it. False if the run is to end first.
template <Space X, Reduction R>
ATOLL_HOST_DEVICE bool fold(X& x, const Job& job, const R& reduction) {
  return foldFrom(x, job, reduction, job.reduces() && allAligned(job) ? foldAligned(x, job, reduction) : 0);
}

}  // namespace atl::device
