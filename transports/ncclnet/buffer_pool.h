// SPDX-License-Identifier: Apache-2.0
// Memory of a link's own that is registered with one of its connections: for what lies in memory that is not.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "transports/ncclnet/comm.h"

namespace atl::ncclnet {

struct Buffer {
  struct Free {
    void operator()(std::byte* pages) const { std::free(pages); }
  };
  std::unique_ptr<std::byte, Free> memory;  ///< aligned to a page
  Registration registration = nullptr;
};

/// Buffers of one size, which are made when they are first needed and go with the pool.
class BufferPool {
 public:
  /// The connection outlives it.
  BufferPool(Comm& comm, std::size_t bytes, std::size_t most) : comm_(comm), bytes_(bytes), most_(most) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// Null: all that there may be are out.
  Result<Buffer*> borrow();
  void giveBack(Buffer* buffer) { free_.push_back(buffer); }

 private:
  Comm& comm_;
  std::size_t bytes_;
  std::size_t most_;
  std::vector<std::unique_ptr<Buffer>> all_;
  std::vector<Buffer*> free_;
};

}  // namespace atl::ncclnet
