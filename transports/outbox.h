// SPDX-License-Identifier: Apache-2.0
// A rank's bounce slots: memory that its peers can read, into which it copies a message once, whatever the number of
// peers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/result.h"
#include "transports/link.h"
#include "transports/shared_memory.h"

namespace atl {

/// A few equal slots. Acquired by the executor of one communicator's rank, one thread at a time; free again when all
/// readers have consumed the message that lies in the slot. Memory is taken at the first use.
class Outbox {
 public:
  Outbox(std::size_t slotBytes, int slots);

  /// Takes the memory if that has not happened yet. Transports call it when they first link to another process.
  Status ensure();
  /// Valid after ensure().
  [[nodiscard]] const SharedMemory& memory() const { return *memory_; }
  [[nodiscard]] bool ready() const { return memory_ != nullptr; }
  [[nodiscard]] std::size_t slotBytes() const { return slotBytes_; }
  [[nodiscard]] std::size_t bytesHeld() const { return memory_ ? memory_->size() : 0; }

  /// A free slot, the one last freed first, since it is the likeliest to lie in the cache; or null while every slot has
  /// a reader that has not consumed it. The caller fills it, posts a message that refers to it on each link, and then
  /// calls readBy for each; a slot for which it never does is free at the next call. Needs ensure().
  std::byte* tryAcquire();
  /// The slot last acquired is read by this link, as its message number `message`. The link stays where it is, and
  /// alive, until the slot has been acquired again or the outbox is gone.
  void readBy(MemoryLink& link, std::uint64_t message);
  /// Gives every link that has not consumed all of its messages, as far as is known, perhaps several times.
  template <typename Visit>
  void eachReader(Visit visit) const {
    for (const std::size_t slot : busy_) {
      for (const Reader& reader : readers_[slot]) visit(static_cast<const MemoryLink&>(*reader.link));
    }
  }
  [[nodiscard]] std::uint64_t offsetOf(const std::byte* slot) const {
    return static_cast<std::uint64_t>(slot - memory_->data());
  }

 private:
  struct Reader {
    MemoryLink* link;
    std::uint64_t message;
  };
  bool consumed(std::size_t slot);
  void collectFreed();

  std::size_t slotBytes_;
  std::vector<std::vector<Reader>> readers_;  ///< by slot
  std::vector<std::size_t> free_;             ///< a stack
  std::vector<std::size_t> busy_;             ///< the longest acquired first
  std::unique_ptr<SharedMemory> memory_;
};

}  // namespace atl
