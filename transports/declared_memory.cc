// SPDX-License-Identifier: Apache-2.0
#include "transports/declared_memory.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

namespace atl {
namespace {

struct DeclaredBytes {
  std::byte* begin = nullptr;
  std::size_t bytes = 0;
  DeclaredArea area;
};

std::size_t pageBytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

class Declarations {
 public:
  /// Never destroyed: memory may be freed while the process ends.
  static Declarations& instance() {
    static auto* const declarations = new Declarations;
    return *declarations;
  }

  std::uint64_t add(std::byte* memory, std::size_t bytes) {
    const std::size_t before = reinterpret_cast<std::uintptr_t>(memory) % pageBytes();
    std::byte* const begin = memory - before;
    const std::size_t ofPages = (before + bytes + pageBytes() - 1) / pageBytes() * pageBytes();
    const std::scoped_lock lock(mutex_);
    Pages& pages = pages_[{begin, ofPages}];
    if (pages.declarations++ == 0) areas_.insert(pages.id = ++lastArea_);
    declared_.emplace(++lastId_, DeclaredBytes{memory, bytes, {pages.id, begin, ofPages}});
    changes_.fetch_add(1, std::memory_order_release);
    return lastId_;
  }

  void remove(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    const auto declared = declared_.find(id);
    const DeclaredArea area = declared->second.area;
    declared_.erase(declared);
    changes_.fetch_add(1, std::memory_order_release);
    const auto pages = pages_.find({area.begin, area.bytes});
    if (--pages->second.declarations > 0) return;
    pages_.erase(pages);
    areas_.erase(area.id);
    for (const auto& forget : listeners_) forget(area.id);
  }

  bool has(std::uint64_t area) {
    const std::scoped_lock lock(mutex_);
    return areas_.contains(area);
  }

  void listen(std::function<void(std::uint64_t)> forget) {
    const std::scoped_lock lock(mutex_);
    listeners_.push_back(std::move(forget));
  }

  [[nodiscard]] std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

  /// All of them, and the state that the list shows.
  std::uint64_t list(std::vector<DeclaredBytes>& known) {
    const std::scoped_lock lock(mutex_);
    known.clear();
    for (const auto& [id, declared] : declared_) known.push_back(declared);
    return changes_.load(std::memory_order_relaxed);
  }

 private:
  struct Pages {
    std::uint64_t id = 0;  ///< of the area
    std::size_t declarations = 0;
  };
  std::mutex mutex_;
  std::map<std::uint64_t, DeclaredBytes> declared_;
  std::map<std::pair<std::byte*, std::size_t>, Pages> pages_;
  std::unordered_set<std::uint64_t> areas_;  ///< ids of those
  std::vector<std::function<void(std::uint64_t)>> listeners_;
  std::uint64_t lastId_ = 0;
  std::uint64_t lastArea_ = 0;
  std::atomic<std::uint64_t> changes_{0};
};

}  // namespace

Declaration::Declaration(void* memory, std::size_t bytes)
    : id_(Declarations::instance().add(static_cast<std::byte*>(memory), bytes)) {}

Declaration::~Declaration() {
  if (id_ != 0) Declarations::instance().remove(id_);
}

std::optional<DeclaredArea> findDeclared(const void* memory, std::size_t bytes) {
  thread_local std::uint64_t seen = 0;
  thread_local std::vector<DeclaredBytes> known;
  if (Declarations::instance().changes() != seen) seen = Declarations::instance().list(known);
  const auto* const begin = static_cast<const std::byte*>(memory);
  const auto holds = [begin, bytes](const DeclaredBytes& declared) {
    return begin >= declared.begin && bytes <= declared.bytes &&
           static_cast<std::size_t>(begin - declared.begin) <= declared.bytes - bytes;
  };
  const auto found = std::ranges::find_if(known, holds);
  return found == known.end() ? std::nullopt : std::optional(found->area);
}

bool isDeclared(std::uint64_t area) {
  return Declarations::instance().has(area);
}

void whenAreasEnd(std::function<void(std::uint64_t area)> forget) {
  Declarations::instance().listen(std::move(forget));
}

}  // namespace atl
