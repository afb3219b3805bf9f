// SPDX-License-Identifier: Apache-2.0
// Ranks in a sentence.
#pragma once

#include <span>
#include <string>

#include "src/base/types.h"

namespace atl {

/// "rank 3", "ranks 3, 5-7"; of ascending ranks. A list of many gaps ends with "and 12 more".
std::string textOfRanks(std::span<const Rank> ranks);

}  // namespace atl
