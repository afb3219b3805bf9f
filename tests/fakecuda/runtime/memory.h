// SPDX-License-Identifier: Apache-2.0
// Memory: a device's memory is a memfd mapped into the process, so that other processes can map it too and kernels,
// which are host code, can use the pointers. What is mapped where is kept in a register, by which pointers are known
// again. Each allocation ends at a page that nobody may touch, and the bytes between its end and that page are looked
// at when it is freed.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/fakecuda/fakecuda.h"

namespace fakecuda {

enum class MemoryKind : unsigned char {
  device,      ///< cudaMalloc
  managed,     ///< cudaMallocManaged
  pinned,      ///< cudaHostAlloc
  registered,  ///< cudaHostRegister: the program's own
  imported,    ///< cudaIpcOpenMemHandle: another process's
  mapped,      ///< cuMemMap
  multicast,   ///< cuMemMap of a multicast object: not readable
};

struct Allocation {
  std::uintptr_t base = 0;
  std::size_t bytes = 0;  ///< as asked for
  MemoryKind kind = MemoryKind::device;
  int device = 0;              ///< the owner, or current when host memory was allocated
  int physicalDevice = 0;      ///< the owner's number on the machine, whether the process sees it or not
  int descriptor = -1;         ///< the memfd; -1 for host memory
  unsigned flags = 0;          ///< of cudaHostAlloc and cudaHostRegister
  std::uint64_t id = 0;        ///< never used twice
  std::uint64_t source = 0;    ///< mapped and multicast: the memory handle; imported: the exporter's inode
  int opened = 1;              ///< imported: how often
  std::vector<int> accessors;  ///< mapped: as cuMemSetAccess says; imported: for which it was opened

  [[nodiscard]] bool onHost() const { return kind == MemoryKind::pinned || kind == MemoryKind::registered; }
};

/// Bytes from one page to the next.
std::size_t pageBytes();
std::size_t wholePages(std::size_t bytes);

/// Allocates memory of a device (device, managed) or of the host (pinned). The content is arbitrary, not zero.
cudaError_t allocate(MemoryKind kind, int device, std::size_t bytes, unsigned flags, void** pointer);

/// Enters memory that was mapped elsewhere. False if some of it is already known.
bool enter(Allocation allocation);

/// Takes an allocation out of the register if it begins at `pointer` and is of that kind, and leaves its mapping alone.
std::optional<Allocation> takeOut(const void* pointer, MemoryKind kind);

/// Frees what allocate() gave. An error, and nothing done, for any other address, an inner one, or one freed already.
cudaError_t release(void* pointer, MemoryKind kind);

/// The allocation that an address lies in.
std::optional<Allocation> find(const void* pointer);

/// Changes an allocation in the register; nothing if it is gone.
void update(std::uintptr_t base, void (*change)(Allocation& allocation, int argument), int argument);

/// An exporter's memory as it was opened for the use of `device`.
std::optional<Allocation> findImported(std::uint64_t source, int device);

/// Does [pointer, pointer + bytes) lie within one allocation, or outside all of them?
bool fits(const void* pointer, std::size_t bytes);

/// Bytes that a device has given out.
std::size_t bytesInUse(int device);

/// Adds what is there to a count.
void countMemory(LiveObjects& live);

/// Unmaps everything that is still there.
void forgetMemory();

}  // namespace fakecuda
