// SPDX-License-Identifier: Apache-2.0
// Memory without an address: what cuMemCreate and cuMulticastCreate make, to be mapped, shared or bound.
#pragma once

#include <cuda.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

namespace fakecuda {

inline constexpr std::size_t kGranularity = std::size_t{2} << 20;

struct MemoryHandle;

/// Part of a multicast object that is bound to a device's memory.
struct Binding {
  int device = 0;
  std::size_t offset = 0;  ///< in the multicast object
  std::size_t bytes = 0;
  std::shared_ptr<MemoryHandle> memory;
  void* place = nullptr;  ///< where the memory is mapped, for this binding alone
};

struct MemoryHandle {
  MemoryHandle() = default;
  ~MemoryHandle();
  MemoryHandle(const MemoryHandle&) = delete;
  MemoryHandle& operator=(const MemoryHandle&) = delete;

  std::size_t bytes = 0;
  int descriptor = -1;  ///< a memfd; -1 for multicast objects, which have no memory
  CUmemAllocationProp properties{};
  int physicalDevice = 0;

  // Multicast objects:
  std::mutex mutex;
  unsigned devicesWanted = 0;  ///< 0: memory
  std::set<int> devices;
  std::vector<Binding> bindings;

  [[nodiscard]] bool isMulticast() const { return devicesWanted > 0; }
};

using MemoryHandlePtr = std::shared_ptr<MemoryHandle>;

/// Gives an object a handle with one reference; the object given one already gets another reference to that handle.
CUmemGenericAllocationHandle giveHandle(const MemoryHandlePtr& memory);

/// Null when there is none.
MemoryHandlePtr memoryOf(CUmemGenericAllocationHandle handle);

std::size_t liveMemoryHandles();
void forgetMemoryHandles();

}  // namespace fakecuda
