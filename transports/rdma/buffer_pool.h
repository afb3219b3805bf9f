// SPDX-License-Identifier: Apache-2.0
// Equal buffers that the process's devices may read and write: slots for notes, and chunks for the payload of memory
// that is not registered. Registered in blocks, since a registration costs more than a copy of many buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "src/base/result.h"
#include "transports/rdma/nic.h"

namespace atl::rdma {

/// One buffer: where it is, and its keys by device.
class Buffer {
 public:
  Buffer(std::byte* data, const std::vector<Registration>& keys) : data_(data), keys_(&keys) {}

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t devices() const { return keys_->size(); }
  /// `device`: its place among those that the pool was made with.
  [[nodiscard]] std::uint32_t localKey(std::size_t device) const { return (*keys_)[device].localKey(); }
  [[nodiscard]] std::uint32_t remoteKey(std::size_t device) const { return (*keys_)[device].remoteKey(); }

 private:
  std::byte* data_;
  const std::vector<Registration>* keys_;
};

/// Used by one thread at a time. Buffers stay where they are until the pool goes, and are the pool's.
class BufferPool {
 public:
  BufferPool(std::vector<std::shared_ptr<Nic>> nics, std::size_t bufferBytes, std::size_t buffersInBlock);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// The buffer that was given back last, since it is the likeliest to lie in the cache, or one of a new block.
  Result<Buffer*> take();
  void give(Buffer& buffer);

  [[nodiscard]] std::size_t taken() const { return taken_; }
  [[nodiscard]] std::size_t bytesHeld() const { return blocks_.size() * bufferBytes_ * buffersInBlock_; }

 private:
  struct Block;
  Status grow();

  std::vector<std::shared_ptr<Nic>> nics_;
  std::size_t bufferBytes_;
  std::size_t buffersInBlock_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<Buffer*> free_;  ///< a stack
  std::size_t taken_ = 0;
};

}  // namespace atl::rdma
