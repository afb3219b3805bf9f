// SPDX-License-Identifier: Apache-2.0
#include "transports/shareable_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>
#include <map>
#include <mutex>
#include <vector>

#include "src/base/unique_fd.h"
#include "transports/declared_memory.h"
#include "transports/huge_pages.h"

namespace atl {
namespace {

/// Smaller memory is not worth a descriptor.
constexpr std::size_t kLeastArea = 64 * 1024;

struct Area {
  std::byte* begin = nullptr;
  std::size_t bytes = 0;   ///< that were asked for
  std::size_t mapped = 0;  ///< whole pages
  std::uint64_t number = 0;
  UniqueFd file;            ///< none: private memory
  Declaration declaration;  ///< for what is large enough to be shared
};

/// What a thread needs to know of a shared area.
struct Known {
  const std::byte* begin;
  std::size_t bytes;
  SharedPlace place;
};

class Areas {
 public:
  /// Never destroyed: memory may be freed while the process ends.
  static Areas& instance() {
    static auto* const areas = new Areas;
    return *areas;
  }

  void add(Area area) {
    const std::scoped_lock lock(mutex_);
    area.number = ++lastNumber_;
    const bool shared = static_cast<bool>(area.file);
    std::byte* const begin = area.begin;
    areas_.emplace(begin, std::move(area));
    if (shared) changes_.fetch_add(1, std::memory_order_release);
  }

  std::optional<Area> remove(void* memory) {
    const std::scoped_lock lock(mutex_);
    const auto found = areas_.find(static_cast<std::byte*>(memory));
    if (found == areas_.end()) return std::nullopt;
    Area area = std::move(found->second);
    areas_.erase(found);
    if (area.file) changes_.fetch_add(1, std::memory_order_release);
    return area;
  }

  [[nodiscard]] std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

  /// The shared ones by address, and the state that the list shows.
  std::uint64_t list(std::vector<Known>& known) {
    const std::scoped_lock lock(mutex_);
    known.clear();
    for (const auto& [begin, area] : areas_) {
      if (area.file) known.push_back({begin, area.bytes, {area.number, area.mapped, 0, area.file.get()}});
    }
    return changes_.load(std::memory_order_relaxed);
  }

 private:
  std::mutex mutex_;
  std::map<std::byte*, Area> areas_;
  std::uint64_t lastNumber_ = 0;
  std::atomic<std::uint64_t> changes_{0};
};

/// A file of memory that cannot shrink under its readers; nothing if the system has none to give.
UniqueFd makeFile(std::size_t bytes) {
  UniqueFd file(::memfd_create("atoll-shareable", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file || ::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return {};
  }
  return file;
}

}  // namespace

Result<void*> allocateShareable(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto failed = [bytes](int error) { return systemError(error, fmt::format("cannot allocate {} bytes", bytes)); };
  if (bytes == 0 || bytes > static_cast<std::size_t>(std::numeric_limits<off_t>::max()) - page) return failed(ENOMEM);
  Area area;
  area.bytes = bytes;
  area.mapped = (bytes + page - 1) / page * page;
  if (bytes >= kLeastArea) area.file = makeFile(area.mapped);
  void* memory = nullptr;
  if (area.file) {
    ATOLL_ASSIGN(memory, mapForHugePages(area.file.get(), area.mapped, PROT_READ | PROT_WRITE));
    takeHugePages(memory, area.mapped);
  } else {
    memory = ::mmap(nullptr, area.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return failed(errno);
  }
  area.begin = static_cast<std::byte*>(memory);
  if (bytes >= kLeastArea) area.declaration = Declaration(memory, area.mapped);
  Areas::instance().add(std::move(area));
  return memory;
}

bool freeShareable(void* memory) {
  auto area = Areas::instance().remove(memory);
  if (!area) return false;
  area->declaration = {};
  // A reader keeps its mapping until its link ends, and would keep the pages with it.
  if (area->file) {
    ::fallocate(area->file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(area->mapped));
  }
  ::munmap(area->begin, area->mapped);
  return true;
}

std::optional<SharedPlace> findShareable(const void* memory, std::size_t bytes) {
  thread_local std::uint64_t seen = 0;
  thread_local std::vector<Known> known;
  if (Areas::instance().changes() != seen) seen = Areas::instance().list(known);
  if (known.empty()) return std::nullopt;
  const auto* const begin = static_cast<const std::byte*>(memory);
  const auto after = std::upper_bound(known.begin(), known.end(), begin,
                                      [](const std::byte* at, const Known& area) { return at < area.begin; });
  if (after == known.begin()) return std::nullopt;
  const Known& area = *(after - 1);
  const auto offset = static_cast<std::size_t>(begin - area.begin);
  if (offset > area.bytes || bytes > area.bytes - offset) return std::nullopt;
  SharedPlace place = area.place;
  place.offset = offset;
  return place;
}

}  // namespace atl
