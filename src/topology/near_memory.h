// SPDX-License-Identifier: Apache-2.0
// Memory on the node of those who use it. Untouched memory goes where its first toucher runs, which is right wherever
// the owner touches it first, as with scratch. For shared memory, whose pages are taken before anyone touches them, it
// is said beforehand; that also holds where the process runs under another policy, such as interleaving.
#pragma once

#include <cstddef>

namespace atl {

/// Has the kernel take the pages of a fresh mapping, none of which is there yet, from the memory near the calling
/// thread, as far as there is some left. Does nothing where the machine has one node, where the thread may run on
/// several, or where the kernel refuses.
void placeNearCaller(void* memory, std::size_t bytes);

}  // namespace atl
