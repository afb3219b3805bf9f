// SPDX-License-Identifier: Apache-2.0
// Memory that another process of this host can be given.
#pragma once

#include <cstddef>

#include "src/base/result.h"
#include "src/base/unique_fd.h"

namespace atl {

/// Memory backed by an unlinked file (memfd): nothing of it can be left behind, and its pages are reserved at creation,
/// so that a machine short of memory gives an error here and not a SIGBUS later.
class SharedMemory {
 public:
  /// Its pages are near the calling thread (near_memory.h). `name` is for /proc only.
  static Result<SharedMemory> create(std::size_t bytes, const char* name);
  /// Maps what a peer sent over a socket. Refuses memory of another size than `bytes`, and memory that the peer could
  /// still shrink, which would kill this process at its next access.
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

}  // namespace atl
