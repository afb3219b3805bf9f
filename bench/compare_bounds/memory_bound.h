// SPDX-License-Identifier: Apache-2.0
// How fast all cores at once move memory: the bound of every collective whose data does not stay in a cache.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/compare_bounds/cores.h"

namespace atl::perf {

/// What each core does with buffers of its own.
enum class MemoryWork : std::uint8_t {
  copy,    ///< memcpy: one load, one store
  stream,  ///< the library's copy with non-temporal stores: one load, one store
  sum,     ///< the library's float32 sum of two operands into a third buffer: two loads, one store
};
inline constexpr MemoryWork kMemoryWorks[] = {MemoryWork::copy, MemoryWork::stream, MemoryWork::sum};

std::string_view nameOf(MemoryWork work);

struct MemoryRate {
  MemoryWork work = MemoryWork::copy;
  std::uint64_t workingSetBytes = 0;  ///< of all cores together
  double gigabytesPerSecond = 0;      ///< loads and stores of the program's own, in 1e9 bytes, of all cores together
};

/// Bytes of all cores' buffers, when each has `bytes` in each of its own.
std::uint64_t workingSetOf(MemoryWork work, const std::vector<int>& cores, std::size_t bytes);

/// The best of `repetitions` rounds, each of about `seconds`, with buffers of `bytes` for each core.
MemoryRate measureMemory(MemoryWork work, const std::vector<int>& cores, std::size_t bytes, int repetitions,
                         double seconds);

}  // namespace atl::perf
