// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/buffer_pool.h"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

namespace atl::rdma {

/// Mapped by itself: registered pages are pinned, and no other data should lie on them.
struct BufferPool::Block {
  explicit Block(std::size_t size)
      : bytes(size), memory(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    registrations.clear();
    if (memory != MAP_FAILED) ::munmap(memory, bytes);
  }

  std::size_t bytes;
  void* memory;
  std::vector<Registration> registrations;
  Keys keys;
  std::vector<Buffer> buffers;
};

BufferPool::BufferPool(std::vector<std::shared_ptr<Nic>> nics, std::size_t bufferBytes, std::size_t buffersInBlock,
                       WriteOrder order)
    : nics_(std::move(nics)), bufferBytes_(bufferBytes), buffersInBlock_(buffersInBlock), order_(order) {}

BufferPool::~BufferPool() = default;

Result<Buffer*> BufferPool::take() {
  if (free_.empty()) ATOLL_TRY(grow());
  Buffer* const buffer = free_.back();
  free_.pop_back();
  ++taken_;
  return buffer;
}

void Buffer::giveBack() {
  pool_->give(*this);
}

void BufferPool::give(Buffer& buffer) {
  free_.push_back(&buffer);  // never more than there are: the stack has room for all
  --taken_;
}

void BufferPool::enter(Block& block, std::size_t device, std::optional<Registration> registration) {
  if (!registration) return;
  block.keys.local[device] = registration->localKey();
  block.keys.remote[device] = registration->remoteKey();
  block.registrations.push_back(*std::move(registration));
}

Result<std::vector<std::optional<Registration>>> BufferPool::registerOn(Nic& nic) const {
  std::vector<std::optional<Registration>> ofBlocks;
  for (const auto& block : blocks_) {
    ATOLL_ASSIGN(auto registration, Registration::make(nic, block->memory, block->bytes, order_));
    ofBlocks.push_back(std::move(registration));
  }
  return ofBlocks;
}

void BufferPool::extend(std::shared_ptr<Nic> nic, std::vector<std::optional<Registration>> ofBlocks) {
  for (std::size_t i = 0; i < blocks_.size(); ++i) enter(*blocks_[i], nics_.size(), std::move(ofBlocks[i]));
  nics_.push_back(std::move(nic));
}

Status BufferPool::grow() {
  auto block = std::make_unique<Block>(bufferBytes_ * buffersInBlock_);
  if (block->memory == MAP_FAILED) return systemError(errno, fmt::format("no memory for {} bytes", block->bytes));
  for (std::size_t device = 0; device < nics_.size(); ++device) {
    ATOLL_ASSIGN(auto registration, Registration::make(*nics_[device], block->memory, block->bytes, order_));
    enter(*block, device, std::move(registration));
  }
  block->buffers.reserve(buffersInBlock_);
  free_.reserve((blocks_.size() + 1) * buffersInBlock_);
  for (std::size_t i = 0; i < buffersInBlock_; ++i) {
    block->buffers.emplace_back(*this, static_cast<std::byte*>(block->memory) + i * bufferBytes_, block->keys);
  }
  for (Buffer& buffer : block->buffers) free_.push_back(&buffer);
  blocks_.push_back(std::move(block));
  return success();
}

}  // namespace atl::rdma
