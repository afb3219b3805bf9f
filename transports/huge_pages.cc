// SPDX-License-Identifier: Apache-2.0
#include "transports/huge_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "transports/available_memory.h"

namespace atl {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// MADV_COLLAPSE, which C libraries older than Linux 6.1 do not name.
constexpr int kCollapse = 25;

Error cannotMap(std::size_t bytes) {
  return systemError(errno, fmt::format("cannot map {} bytes of shared memory", bytes));
}

}  // namespace

Result<std::byte*> mapForHugePages(int file, std::size_t bytes, int protection) {
  if (bytes < kHugePage) {
    void* const at = ::mmap(nullptr, bytes, protection, MAP_SHARED, file, 0);
    if (at == MAP_FAILED) return cannotMap(bytes);
    return static_cast<std::byte*>(at);
  }
  // Room for the memory wherever in it the first boundary is; what lies around it goes back.
  const std::size_t room = bytes + kHugePage;
  void* const reserved = ::mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return cannotMap(bytes);
  auto* const begin = static_cast<std::byte*>(reserved);
  const std::size_t before = (kHugePage - reinterpret_cast<std::uintptr_t>(begin) % kHugePage) % kHugePage;
  void* const at = ::mmap(begin + before, bytes, protection, MAP_SHARED | MAP_FIXED, file, 0);
  if (at == MAP_FAILED) {
    Error error = cannotMap(bytes);
    ::munmap(begin, room);
    return error;
  }
  if (before > 0) ::munmap(begin, before);
  // The mapping ends with a page, and so does what was reserved.
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t end = before + (bytes + page - 1) / page * page;
  if (end < room) ::munmap(begin + end, room - end);
  return begin + before;
}

void takeHugePages(void* memory, std::size_t bytes) {
  const std::size_t whole = bytes / kHugePage * kHugePage;
  if (whole == 0) return;
  const auto available = availableMemory();
  if (!available || bytes > *available / 2) return;
  // The kernel makes huge pages of what is there, and fills up what is not: so each needs a first page.
  for (std::size_t i = 0; i < whole; i += kHugePage) static_cast<volatile std::byte*>(memory)[i] = std::byte{0};
  ::madvise(memory, whole, kCollapse);
}

}  // namespace atl
