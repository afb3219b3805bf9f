// SPDX-License-Identifier: Apache-2.0
#include "transports/declared_memory.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <vector>

namespace atl {
namespace {

class Declarations {
 public:
  /// Never destroyed: memory may be freed while the process ends.
  static Declarations& instance() {
    static auto* const declarations = new Declarations;
    return *declarations;
  }

  std::uint64_t add(void* memory, std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t id = ++lastId_;
    areas_.emplace(id, DeclaredArea{id, static_cast<std::byte*>(memory), bytes});
    changes_.fetch_add(1, std::memory_order_release);
    return id;
  }

  void remove(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    areas_.erase(id);
    changes_.fetch_add(1, std::memory_order_release);
    for (const auto& forget : listeners_) forget(id);
  }

  bool has(std::uint64_t id) {
    const std::scoped_lock lock(mutex_);
    return areas_.contains(id);
  }

  void listen(std::function<void(std::uint64_t)> forget) {
    const std::scoped_lock lock(mutex_);
    listeners_.push_back(std::move(forget));
  }

  [[nodiscard]] std::uint64_t changes() const { return changes_.load(std::memory_order_acquire); }

  /// All of them, and the state that the list shows.
  std::uint64_t list(std::vector<DeclaredArea>& known) {
    const std::scoped_lock lock(mutex_);
    known.clear();
    for (const auto& [id, area] : areas_) known.push_back(area);
    return changes_.load(std::memory_order_relaxed);
  }

 private:
  std::mutex mutex_;
  std::map<std::uint64_t, DeclaredArea> areas_;
  std::vector<std::function<void(std::uint64_t)>> listeners_;
  std::uint64_t lastId_ = 0;
  std::atomic<std::uint64_t> changes_{0};
};

}  // namespace

Declaration::Declaration(void* memory, std::size_t bytes) : id_(Declarations::instance().add(memory, bytes)) {}

Declaration::~Declaration() {
  if (id_ != 0) Declarations::instance().remove(id_);
}

std::optional<DeclaredArea> findDeclared(const void* memory, std::size_t bytes) {
  thread_local std::uint64_t seen = 0;
  thread_local std::vector<DeclaredArea> known;
  if (Declarations::instance().changes() != seen) seen = Declarations::instance().list(known);
  const auto* const begin = static_cast<const std::byte*>(memory);
  const auto holds = [begin, bytes](const DeclaredArea& area) {
    return begin >= area.begin && bytes <= area.bytes &&
           static_cast<std::size_t>(begin - area.begin) <= area.bytes - bytes;
  };
  const auto found = std::ranges::find_if(known, holds);
  return found == known.end() ? std::nullopt : std::optional(*found);
}

bool isDeclared(std::uint64_t id) {
  return Declarations::instance().has(id);
}

void whenDeclarationsEnd(std::function<void(std::uint64_t id)> forget) {
  Declarations::instance().listen(std::move(forget));
}

}  // namespace atl
