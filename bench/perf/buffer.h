// SPDX-License-Identifier: Apache-2.0
// Memory that calls read and write, with guards that show when a call touches what it was not given.
#pragma once

#include <cstddef>
#include <cstdint>

#include "atoll/atoll.h"
#include "src/base/result.h"

namespace atl::perf {

class Buffer {
 public:
  /// `capacity` usable bytes, page-aligned and touched. With a communicator the memory is the library's own and
  /// registered with it; the communicator outlives the buffer. Without, it is ordinary memory.
  [[nodiscard]] static Result<Buffer> allocate(std::size_t capacity, atollComm_t registerWith);
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  [[nodiscard]] std::byte* data() const { return base_ + kMargin; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  /// Where a region of `bytes` may lie: successive iterations use successive positions, so that none finds its data in
  /// the cache because the one before had the same.
  [[nodiscard]] std::size_t positions(std::size_t bytes) const;
  [[nodiscard]] std::byte* position(std::size_t index, std::size_t bytes) const;

  /// Writes the guards around a region, and counts the guards' bytes that have changed since.
  void plantGuards(std::byte* region, std::size_t bytes) const;
  [[nodiscard]] std::uint64_t countTouched(const std::byte* region, std::size_t bytes) const;

  static constexpr std::size_t kGuardBytes = 256;

 private:
  Buffer() = default;
  void release();

  static constexpr std::size_t kMargin = 4096;  ///< before and after the usable bytes; a page, to keep the alignment

  std::byte* base_ = nullptr;
  std::size_t capacity_ = 0;
  atollComm_t comm_ = nullptr;  ///< registered with; null for ordinary memory
  void* registration_ = nullptr;
};

/// Bytes of memory that the system could give now, without swapping; 0 when it does not say.
std::uint64_t availableMemory();

}  // namespace atl::perf
