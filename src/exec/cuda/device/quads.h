// SPDX-License-Identifier: Apache-2.0
// The threads of a block move bytes: sixteen at a time where everything is aligned so, several of them under way in
// each thread.
#pragma once

#include <cstdint>

#include "src/exec/cuda/device/space.h"

namespace atl::device {

/// What it covers may be of any type.
struct alignas(16) [[gnu::may_alias]] Quad {
  std::uint32_t words[4];
};
inline constexpr std::uint64_t kQuadBytes = sizeof(Quad);

/// Loads that a thread has under way at once.
inline constexpr std::uint32_t kUnrolled = 4;

ATOLL_HOST_DEVICE inline bool aligned(const void* data) {
  return reinterpret_cast<std::uintptr_t>(data) % kQuadBytes == 0;
}

/// `count` elements, dealt out to the threads of the block in turns.
template <Space X, class T>
ATOLL_HOST_DEVICE void copyElements(X& x, T* to, const T* from, std::uint64_t count) {
  const std::uint64_t stride = x.threads();
  std::uint64_t i = x.thread();
  for (; i + (kUnrolled - 1) * stride < count; i += kUnrolled * stride) {
    T several[kUnrolled];
    for (std::uint32_t k = 0; k < kUnrolled; ++k) several[k] = from[i + k * stride];
    for (std::uint32_t k = 0; k < kUnrolled; ++k) to[i + k * stride] = several[k];
  }
  for (; i < count; i += stride) to[i] = from[i];
}

/// All threads of the block call it; what was copied is there for others after a sync().
template <Space X>
ATOLL_HOST_DEVICE void copyBytes(X& x, std::byte* to, const std::byte* from, std::uint64_t bytes) {
  if (!aligned(to) || !aligned(from)) return copyElements(x, to, from, bytes);
  const std::uint64_t quads = bytes / kQuadBytes;
  copyElements(x, reinterpret_cast<Quad*>(to), reinterpret_cast<const Quad*>(from), quads);
  const std::uint64_t whole = quads * kQuadBytes;
  copyElements(x, to + whole, from + whole, bytes - whole);
}

}  // namespace atl::device
