// SPDX-License-Identifier: Apache-2.0
// Pseudo-random words by counter: the same words for the same counters on every rank, without state.
#pragma once

#include <cstdint>

namespace atl::perf {

/// A bijective mixing of 64 bits in which every input bit reaches every output bit (the finaliser of SplitMix64,
/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// A word for a pair of counters.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(mix(a) ^ b);
}

}  // namespace atl::perf
