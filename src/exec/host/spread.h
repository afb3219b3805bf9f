// SPDX-License-Identifier: Apache-2.0
// One result for several places: what a fold makes goes to all of them while it is in the cache, instead of
// being read again for each.
#pragma once

#include <cstddef>
#include <span>

#include "src/exec/host/reducer.h"

namespace atl::exec {

/// Folds `bytes` bytes (whole elements) of the sources, left to right, and finishes them if `finish`; moves the
/// sources' pointers to the end of what was read. The result goes into `kept`, through the cache, unless that is null,
/// and into every place of `around`, around the cache. A place may be one of the sources, exactly. What is written is
/// ordered before what this thread stores next.
void foldToAll(const Reducer& reducer, bool finish, std::span<const void*> sources, std::size_t bytes, std::byte* kept,
               std::span<std::byte* const> around);

}  // namespace atl::exec
