// SPDX-License-Identifier: Apache-2.0
// A rank's bounce slots: memory that its peers can read, into which it copies a message once, whatever the number of peers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "src/base/result.h"
#include "src/base/unique_fd.h"
#include "transports/link.h"

namespace atl {

/// Memory backed by an unlinked file (memfd): nothing of it can be left behind, and its pages are reserved at creation, so
/// that a machine short of memory gives an error here and not a SIGBUS later.
class SharedMemory {
 public:
  /// `name` is for /proc only.
  static Result<SharedMemory> create(std::size_t bytes, const char* name);
  /// Maps what a peer sent over a socket. Checks the real size against `bytes`.
  static Result<SharedMemory> map(UniqueFd fd, std::size_t bytes, bool writable);

  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void closeFd() { fd_.reset(); }

 private:
  SharedMemory() = default;
  UniqueFd fd_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// A ring of equal slots. Acquired by the executor of one communicator's rank, one thread at a time; freed when all readers
/// have consumed the message that lies in the slot. Memory is taken at the first use.
class Outbox {
 public:
  Outbox(std::size_t slotBytes, int slots) : slotBytes_(slotBytes), readers_(static_cast<std::size_t>(slots)) {}

  /// Takes the memory if that has not happened yet. Transports call it when they first link to another process.
  Status ensure();
  /// Valid after ensure().
  [[nodiscard]] const SharedMemory& memory() const { return *memory_; }
  [[nodiscard]] bool ready() const { return memory_ != nullptr; }
  [[nodiscard]] std::size_t slotBytes() const { return slotBytes_; }
  [[nodiscard]] std::size_t bytesHeld() const { return memory_ ? memory_->size() : 0; }

  /// The next slot, or null while one of its readers has not consumed it. The caller fills it, posts a message that refers
  /// to it on each link, and then calls readBy for each.
  std::byte* tryAcquire();
  /// The slot last acquired is read by this link, as its message number `message`.
  void readBy(MemoryLink& link, std::uint64_t message);
  [[nodiscard]] std::uint64_t offsetOf(const std::byte* slot) const {
    return static_cast<std::uint64_t>(slot - memory_->data());
  }

 private:
  struct Reader {
    MemoryLink* link;
    std::uint64_t message;
  };
  std::size_t slotBytes_;
  std::vector<std::vector<Reader>> readers_;  ///< by slot
  std::size_t next_ = 0;
  std::size_t current_ = 0;
  std::unique_ptr<SharedMemory> memory_;
};

}  // namespace atl
