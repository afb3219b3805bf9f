// SPDX-License-Identifier: Apache-2.0
// Memory of other processes: a handle says which descriptor of which process leads to it.
#include <cuda_runtime_api.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

constexpr std::uint64_t kMagic = 0x66616b6563756461;  // "fakecuda"

struct Handle {
  std::uint64_t magic;
  std::uint64_t inode;  ///< tells the memory from a later one under the same descriptor
  std::uint64_t bytes;
  int process;
  int descriptor;
  int physicalDevice;
};
static_assert(sizeof(Handle) <= sizeof(cudaIpcMemHandle_t));

cudaError_t handleFor(void* pointer, Handle& handle) {
  const std::optional<Allocation> allocation = find(pointer);
  struct stat facts {};
  if (!allocation || allocation->kind != MemoryKind::device) return cudaErrorInvalidValue;
  if (fstat(allocation->descriptor, &facts) != 0) return cudaErrorMapBufferObjectFailed;
  handle = {kMagic, facts.st_ino, allocation->bytes, getpid(), allocation->descriptor, allocation->physicalDevice};
  return cudaSuccess;
}

/// The exporter's memfd, opened anew; -1 if it is gone or not to be had.
int openMemory(const Handle& handle) {
  const std::string path = "/proc/" + std::to_string(handle.process) + "/fd/" + std::to_string(handle.descriptor);
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct stat facts {};
  if (descriptor >= 0 && (fstat(descriptor, &facts) != 0 || facts.st_ino != handle.inode)) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

cudaError_t import(void** pointer, const Handle& handle) {
  if (handle.magic != kMagic) return cudaErrorInvalidValue;
  if (handle.process == getpid()) return cudaErrorDeviceUninitialized;
  if (!canReach(currentDevice(), handle.physicalDevice)) return cudaErrorPeerAccessUnsupported;
  if (const std::optional<Allocation> known = findImported(handle.inode, currentDevice())) {
    update(
        known->base, [](Allocation& allocation, int more) { allocation.opened += more; }, 1);
    *pointer = reinterpret_cast<void*>(known->base);
    return cudaSuccess;
  }
  const int descriptor = openMemory(handle);
  if (descriptor < 0) return cudaErrorMapBufferObjectFailed;
  void* const place = mmap(nullptr, wholePages(handle.bytes), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (place == MAP_FAILED) {
    close(descriptor);
    return cudaErrorMapBufferObjectFailed;
  }
  Allocation allocation;
  allocation.base = reinterpret_cast<std::uintptr_t>(place);
  allocation.bytes = handle.bytes;
  allocation.kind = MemoryKind::imported;
  allocation.device = visibleNumber(handle.physicalDevice);
  allocation.physicalDevice = handle.physicalDevice;
  allocation.descriptor = descriptor;
  allocation.source = handle.inode;
  allocation.accessors = {currentDevice()};
  enter(std::move(allocation));
  *pointer = place;
  return cudaSuccess;
}

}  // namespace
}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* result, void* pointer) {
  return call(__func__, Needs::device, [&] {
    Handle handle{};
    if (result == nullptr) return cudaErrorInvalidValue;
    const cudaError_t wrong = handleFor(pointer, handle);
    if (wrong != cudaSuccess) return wrong;
    std::memset(result, 0, sizeof(*result));
    std::memcpy(result, &handle, sizeof(handle));
    return cudaSuccess;
  });
}

cudaError_t cudaIpcOpenMemHandle(void** pointer, cudaIpcMemHandle_t given, unsigned flags) {
  return call(__func__, Needs::unsafe, [&] {
    if (pointer == nullptr || flags != cudaIpcMemLazyEnablePeerAccess) return cudaErrorInvalidValue;
    Handle handle{};
    std::memcpy(&handle, &given, sizeof(handle));
    return import(pointer, handle);
  });
}

cudaError_t cudaIpcCloseMemHandle(void* pointer) {
  return call(__func__, Needs::unsafe, [&] {
    const std::optional<Allocation> allocation = find(pointer);
    const bool opened = allocation && allocation->kind == MemoryKind::imported &&
                        allocation->base == reinterpret_cast<std::uintptr_t>(pointer);
    if (!opened) return cudaErrorInvalidValue;
    if (allocation->opened > 1) {
      update(
          allocation->base, [](Allocation& one, int fewer) { one.opened -= fewer; }, 1);
      return cudaSuccess;
    }
    waitForDevice(-1);
    return release(pointer, MemoryKind::imported);
  });
}

}  // extern "C"
