// SPDX-License-Identifier: Apache-2.0
// Pages of 2 MiB for memory of files. They cost a five-hundredth of the look-ups, and of the faults when a peer first
// touches what it has mapped; streams of loads do not end at each 4 KiB. The kernel's setting for shared memory
// (shmem_enabled) is nearly everywhere "never", which is meant for programs that do not ask.
#pragma once

#include <cstddef>

#include "src/base/result.h"

namespace atl {

/// mmap of a whole file, to be shared, from an address on at which the kernel can map its huge pages as such.
/// `protection`: PROT_READ, PROT_WRITE. Undone by munmap. Fails as mmap does.
Result<std::byte*> mapForHugePages(int file, std::size_t bytes, int protection);

/// Takes the pages of memory of mapForHugePages, which nobody has touched yet, now, as huge ones as far as the system
/// has any to give (Linux 6.1 and newer; elsewhere nothing happens), and near the calling thread. Leaves memory alone
/// that is large beside what the system has free: it may not be meant to be used as a whole.
void takeHugePages(void* memory, std::size_t bytes);

}  // namespace atl
