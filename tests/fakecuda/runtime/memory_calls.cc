// SPDX-License-Identifier: Apache-2.0
// The runtime's functions that allocate, free, pin and describe memory.
#include <cuda_runtime_api.h>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

/// Frees as CUDA does: after everything that the device, or for host memory any device, still has to do.
cudaError_t releaseWhenIdle(void* pointer, MemoryKind kind) {
  if (pointer == nullptr) return cudaSuccess;
  const std::optional<Allocation> allocation = find(pointer);
  if (!allocation || allocation->kind != kind) return cudaErrorInvalidValue;
  waitForDevice(allocation->device);
  return release(pointer, kind);
}

cudaError_t allocateHost(void** pointer, std::size_t bytes, unsigned flags) {
  if (pointer == nullptr) return cudaErrorInvalidValue;
  *pointer = nullptr;
  return bytes == 0 ? cudaSuccess : allocate(MemoryKind::pinned, currentDevice(), bytes, flags, pointer);
}

cudaMemoryType typeOf(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::pinned:
    case MemoryKind::registered: return cudaMemoryTypeHost;
    case MemoryKind::managed: return cudaMemoryTypeManaged;
    default: return cudaMemoryTypeDevice;
  }
}

}  // namespace
}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  return call(__func__, Needs::unsafe, [&] {
    if (pointer == nullptr) return cudaErrorInvalidValue;
    *pointer = nullptr;
    return bytes == 0 ? cudaSuccess : allocate(MemoryKind::device, currentDevice(), bytes, 0, pointer);
  });
}

cudaError_t cudaMallocManaged(void** pointer, std::size_t bytes, unsigned flags) {
  return call(__func__, Needs::unsafe, [&] {
    if (pointer == nullptr || bytes == 0 || (flags != cudaMemAttachGlobal && flags != cudaMemAttachHost)) {
      return cudaErrorInvalidValue;
    }
    return allocate(MemoryKind::managed, currentDevice(), bytes, flags, pointer);
  });
}

cudaError_t cudaFree(void* pointer) {
  return call(__func__, Needs::unsafe, [&] {
    const std::optional<Allocation> allocation = find(pointer);
    const bool managed = allocation && allocation->kind == MemoryKind::managed;
    return releaseWhenIdle(pointer, managed ? MemoryKind::managed : MemoryKind::device);
  });
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned flags) {
  return call(__func__, Needs::unsafe, [&] { return allocateHost(pointer, bytes, flags); });
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  return call(__func__, Needs::unsafe, [&] { return allocateHost(pointer, bytes, cudaHostAllocDefault); });
}

cudaError_t cudaFreeHost(void* pointer) {
  return call(__func__, Needs::unsafe, [&] { return releaseWhenIdle(pointer, MemoryKind::pinned); });
}

cudaError_t cudaHostRegister(void* pointer, std::size_t bytes, unsigned flags) {
  return call(__func__, Needs::unsafe, [&] {
    if (pointer == nullptr || bytes == 0) return cudaErrorInvalidValue;
    Allocation made;
    made.base = reinterpret_cast<std::uintptr_t>(pointer);
    made.bytes = bytes;
    made.kind = MemoryKind::registered;
    made.device = currentDevice();
    made.flags = flags;
    return enter(made) ? cudaSuccess : cudaErrorHostMemoryAlreadyRegistered;
  });
}

cudaError_t cudaHostUnregister(void* pointer) {
  return call(__func__, Needs::unsafe, [&] {
    const std::optional<Allocation> allocation = find(pointer);
    if (!allocation || allocation->kind != MemoryKind::registered) return cudaErrorHostMemoryNotRegistered;
    waitForDevice(allocation->device);
    return takeOut(pointer, MemoryKind::registered) ? cudaSuccess : cudaErrorHostMemoryNotRegistered;
  });
}

cudaError_t cudaHostGetDevicePointer(void** devicePointer, void* pointer, unsigned flags) {
  return call(__func__, Needs::device, [&] {
    if (devicePointer == nullptr || flags != 0) return cudaErrorInvalidValue;
    const std::optional<Allocation> allocation = find(pointer);
    if (!allocation || !allocation->onHost()) return cudaErrorInvalidValue;
    *devicePointer = pointer;
    return cudaSuccess;
  });
}

cudaError_t cudaHostGetFlags(unsigned* flags, void* pointer) {
  return call(__func__, Needs::device, [&] {
    const std::optional<Allocation> allocation = find(pointer);
    if (flags == nullptr || !allocation || !allocation->onHost()) return cudaErrorInvalidValue;
    *flags = allocation->flags;
    return cudaSuccess;
  });
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* pointer) {
  return call(__func__, Needs::device, [&] {
    if (attributes == nullptr) return cudaErrorInvalidValue;
    *attributes = {};
    const std::optional<Allocation> allocation = find(pointer);
    if (!allocation) {
      attributes->type = cudaMemoryTypeUnregistered;
      attributes->device = cudaInvalidDeviceId;
      attributes->hostPointer = const_cast<void*>(pointer);
      return cudaSuccess;
    }
    attributes->type = typeOf(allocation->kind);
    attributes->device = allocation->device;
    attributes->devicePointer = const_cast<void*>(pointer);
    if (attributes->type != cudaMemoryTypeDevice) attributes->hostPointer = const_cast<void*>(pointer);
    return cudaSuccess;
  });
}

}  // extern "C"
