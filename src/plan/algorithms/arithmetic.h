// SPDX-License-Identifier: Apache-2.0
// The little arithmetic that generators share: powers of two, and runs on a circle of blocks.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "src/base/types.h"

namespace atl::plan {

/// Smallest k with 2^k ≥ n; n ≥ 1.
constexpr std::int32_t ceilLog2(Rank n) {
  return std::bit_width(static_cast<std::uint32_t>(n - 1));
}

/// Largest power of two that is at most n; n ≥ 1.
constexpr Rank powerOfTwoAtMost(Rank n) {
  return static_cast<Rank>(std::bit_floor(static_cast<std::uint32_t>(n)));
}

constexpr bool isPowerOfTwo(Rank n) {
  return std::has_single_bit(static_cast<std::uint32_t>(n));
}

/// The lowest set bit of n > 0, as a number.
constexpr Rank lowestBit(Rank n) {
  return n & -n;
}

/// value modulo n, never negative.
constexpr Rank onCircle(Rank value, Rank n) {
  return (value % n + n) % n;
}

/// Cuts the run of `count` blocks that starts at `first` on a circle of n into pieces that do not pass the end (at most
/// two): f(index, length, offset) with `offset` the distance of the piece from the start of the run.
template <class F>
void forEachRun(Rank first, Rank count, Rank n, F&& f) {
  first = onCircle(first, n);
  const Rank beforeEnd = std::min(count, n - first);
  if (beforeEnd > 0) f(first, beforeEnd, Rank{0});
  if (beforeEnd < count) f(Rank{0}, count - beforeEnd, beforeEnd);
}

}  // namespace atl::plan
