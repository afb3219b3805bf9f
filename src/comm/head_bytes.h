// SPDX-License-Identifier: Apache-2.0
// How much of each block of an all-to-all-v goes in its head (heads_and_tails.h).
#pragma once

#include <cstddef>

#include "src/comm/choosing.h"

namespace atl {

/// Bytes of a head, which are a multiple of 64, for all calls of a communicator; the same on every rank. 0: the blocks
/// go whole, since an algorithm that can do that is no slower, or is what the user forces. Else they are as many as
/// leave, on the smallest blocks, at least half of the time that the stages save. Errors as of Choosing::decide.
Result<std::size_t> headBytesFor(const Choosing& choosing, Rank ranks);

}  // namespace atl
