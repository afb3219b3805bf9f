// SPDX-License-Identifier: Apache-2.0
#include "src/base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace atl {

std::uint64_t hashBytes(const void* data, std::size_t size, std::uint64_t seed) {
  return XXH3_64bits_withSeed(data, size, seed);
}

}  // namespace atl
