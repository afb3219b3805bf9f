// SPDX-License-Identifier: Apache-2.0
// Equal buffers that the process's devices may read and write: slots for notes, and chunks for the payload of memory
// that is not registered. Registered in blocks, since a registration costs more than a copy of many buffers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "src/base/result.h"
#include "transports/rdma/nic.h"
#include "transports/rdma/wire.h"

namespace atl::rdma {

/// The keys of one piece of memory, by device: its place among those of a worker.
struct Keys {
  std::array<std::uint32_t, kMostDevices> local{};
  std::array<std::uint32_t, kMostDevices> remote{};
};

class BufferPool;

class Buffer {
 public:
  Buffer(BufferPool& pool, std::byte* data, const Keys& keys) : pool_(&pool), data_(data), keys_(&keys) {}

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] const Keys& keys() const { return *keys_; }
  /// It goes back to where it was taken.
  void giveBack();

 private:
  BufferPool* pool_;
  std::byte* data_;
  const Keys* keys_;
};

/// Used by one thread at a time. Buffers stay where they are until the pool goes, and are the pool's.
class BufferPool {
 public:
  BufferPool(std::vector<std::shared_ptr<Nic>> nics, std::size_t bufferBytes, std::size_t buffersInBlock,
             WriteOrder order);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// What it takes to have the buffers on one more device, in their order. Nothing is changed yet.
  Result<std::vector<std::optional<Registration>>> registerOn(Nic& nic) const;
  void extend(std::shared_ptr<Nic> nic, std::vector<std::optional<Registration>> ofBlocks);

  /// The buffer that was given back last, since it is the likeliest to lie in the cache, or one of a new block.
  Result<Buffer*> take();

  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  friend class Buffer;
  struct Block;
  static void enter(Block& block, std::size_t device, std::optional<Registration> registration);
  Status grow();
  void give(Buffer& buffer);

  std::vector<std::shared_ptr<Nic>> nics_;
  std::size_t bufferBytes_;
  std::size_t buffersInBlock_;
  WriteOrder order_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<Buffer*> free_;  ///< a stack
  std::size_t taken_ = 0;
};

}  // namespace atl::rdma
