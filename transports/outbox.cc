// SPDX-License-Identifier: Apache-2.0
#include "transports/outbox.h"

#include <algorithm>
#include <utility>

namespace atl {

Outbox::Outbox(std::size_t slotBytes, int slots) : slotBytes_(slotBytes), readers_(static_cast<std::size_t>(slots)) {
  free_.reserve(readers_.size());
  busy_.reserve(readers_.size());
  for (std::size_t slot = readers_.size(); slot-- > 0;) free_.push_back(slot);
}

Status Outbox::ensure() {
  if (memory_) return success();
  ATOLL_ASSIGN(auto memory, SharedMemory::create(slotBytes_ * readers_.size(), "atoll-outbox"));
  memory_ = std::make_unique<SharedMemory>(std::move(memory));
  return success();
}

bool Outbox::consumed(std::size_t slot) {
  auto& readers = readers_[slot];
  while (!readers.empty()) {
    const auto [link, message] = readers.back();
    if (link->knownConsumed < message) {
      link->knownConsumed = link->out->consumed.load(std::memory_order_acquire);
      if (link->knownConsumed < message) return false;
    }
    readers.pop_back();
  }
  return true;
}

void Outbox::collectFreed() {
  // Readers mostly finish in the order of the messages: to look further than the first busy slot pays only when there
  // is no other way to go on.
  std::size_t freed = 0;
  while (freed < busy_.size() && consumed(busy_[freed])) free_.push_back(busy_[freed++]);
  busy_.erase(busy_.begin(), busy_.begin() + static_cast<std::ptrdiff_t>(freed));
  if (!free_.empty()) return;
  for (auto slot = busy_.begin(); slot != busy_.end(); ++slot) {
    if (!consumed(*slot)) continue;
    free_.push_back(*slot);
    busy_.erase(slot);
    return;
  }
}

std::byte* Outbox::tryAcquire() {
  collectFreed();
  if (free_.empty()) return nullptr;
  const std::size_t slot = free_.back();
  free_.pop_back();
  busy_.push_back(slot);
  return memory_->data() + slot * slotBytes_;
}

void Outbox::readBy(MemoryLink& link, std::uint64_t message) {
  readers_[busy_.back()].push_back({&link, message});
}

}  // namespace atl
