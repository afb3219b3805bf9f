// SPDX-License-Identifier: Apache-2.0
// A fast, stable, non-cryptographic 64-bit hash (xxHash's XXH3) for tags and identities.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace atl {

std::uint64_t hashBytes(const void* data, std::size_t size, std::uint64_t seed = 0);
inline std::uint64_t hashText(std::string_view text, std::uint64_t seed = 0) {
  return hashBytes(text.data(), text.size(), seed);
}

/// Folds one value into a running hash. T must have no padding.
template <class T>
std::uint64_t hashCombine(std::uint64_t seed, const T& value) {
  static_assert(std::has_unique_object_representations_v<T>, "padding would make the hash unstable");
  return hashBytes(&value, sizeof value, seed);
}

}  // namespace atl
