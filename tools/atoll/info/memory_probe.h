// SPDX-License-Identifier: Apache-2.0
// What a rank costs: many ranks as threads of this process, one small collective, and the memory that they hold then.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/result.h"
#include "src/base/types.h"

namespace atl::tools {

struct MemoryReport {
  double initSeconds = 0;       ///< until the last rank had its communicator
  double firstCallSeconds = 0;  ///< of the 8-byte all-reduce
  std::uint64_t heldMean = 0;   ///< bytes that a rank accounts for
  std::uint64_t heldMost = 0;
  std::uint64_t residentPerRank = 0;  ///< growth of the process, threads and their stacks included
};

/// Runs it. The result of the all-reduce is checked. Errors name the first rank that failed.
Result<MemoryReport> probeMemory(Rank ranks);

}  // namespace atl::tools
