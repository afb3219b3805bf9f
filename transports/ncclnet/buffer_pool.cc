// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/buffer_pool.h"

#include <utility>

namespace atl::ncclnet {
namespace {

constexpr std::size_t kPage = 4096;

}  // namespace

BufferPool::~BufferPool() {
  for (const auto& buffer : all_)
    comm_.warnIfFailed("deregMr", comm_.context().net().deregMr(comm_.handle(), buffer->registration));
}

Result<Buffer*> BufferPool::borrow() {
  if (free_.empty()) {
    if (all_.size() == most_) return static_cast<Buffer*>(nullptr);
    auto buffer = std::make_unique<Buffer>();
    buffer->memory.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, (bytes_ + kPage - 1) / kPage * kPage)));
    if (buffer->memory == nullptr)
      return makeError(ErrorCode::systemError, "no memory for a buffer of {} bytes", bytes_);
    const Context& context = comm_.context();
    const Code code = context.net().regMr(comm_.handle(), buffer->memory.get(), bytes_, &buffer->registration);
    if (code != Code::success) return context.plugin().failure(ErrorCode::systemError, "regMr", code);
    free_.push_back(buffer.get());
    all_.push_back(std::move(buffer));
  }
  Buffer* const buffer = free_.back();
  free_.pop_back();
  return buffer;
}

}  // namespace atl::ncclnet
