// SPDX-License-Identifier: Apache-2.0
// What the driver tells of a pointer.
#include <cstring>

#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/driver_functions.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/virtual_memory.h"

namespace fakecuda {
namespace {

std::optional<Allocation> find(CUdeviceptr pointer) {
  return fakecuda::find(reinterpret_cast<void*>(pointer));
}

template <class T>
CUresult give(void* data, const T& value) {
  std::memcpy(data, &value, sizeof(value));
  return CUDA_SUCCESS;
}

CUmemorytype typeOf(const Allocation& allocation) {
  if (allocation.kind == MemoryKind::managed) return CU_MEMORYTYPE_DEVICE;
  return allocation.onHost() ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE;
}

CUmemAllocationHandleType handleTypesOf(CUdeviceptr pointer) {
  const std::optional<MappedPlace> place = mappedPlace(pointer);
  return place ? place->memory->properties.requestedHandleTypes : CU_MEM_HANDLE_TYPE_NONE;
}

}  // namespace

CUresult memGetAddressRange(CUdeviceptr* base, std::size_t* bytes, CUdeviceptr pointer) {
  return driverCall("cuMemGetAddressRange", Needs::device, [&] {
    const std::optional<Allocation> allocation = find(pointer);
    if (!allocation) return CUDA_ERROR_NOT_FOUND;
    if (base != nullptr) *base = allocation->base;
    if (bytes != nullptr) *bytes = allocation->bytes;
    return CUDA_SUCCESS;
  });
}

// A file descriptor that another driver could map (dma-buf) cannot be made up.
CUresult memGetHandleForAddressRange(void* /*handle*/, CUdeviceptr /*pointer*/, std::size_t /*bytes*/,
                                     CUmemRangeHandleType /*type*/, unsigned long long /*flags*/) {
  return driverCall("cuMemGetHandleForAddressRange", Needs::device, [] { return CUDA_ERROR_NOT_SUPPORTED; });
}

CUresult pointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr pointer) {
  return driverCall("cuPointerGetAttribute", Needs::device, [&] {
    const std::optional<Allocation> allocation = find(pointer);
    if (data == nullptr || !allocation) return CUDA_ERROR_INVALID_VALUE;
    switch (attribute) {
      case CU_POINTER_ATTRIBUTE_MEMORY_TYPE: return give(data, static_cast<unsigned>(typeOf(*allocation)));
      case CU_POINTER_ATTRIBUTE_DEVICE_POINTER: return give(data, pointer);
      case CU_POINTER_ATTRIBUTE_HOST_POINTER:
        if (allocation->kind != MemoryKind::managed && !allocation->onHost()) return CUDA_ERROR_INVALID_VALUE;
        return give(data, pointer);
      case CU_POINTER_ATTRIBUTE_BUFFER_ID: return give(data, static_cast<unsigned long long>(allocation->id));
      case CU_POINTER_ATTRIBUTE_IS_MANAGED:
        return give(data, static_cast<unsigned>(allocation->kind == MemoryKind::managed));
      case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: return give(data, allocation->device);
      case CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE:
        return give(data, static_cast<unsigned>(allocation->kind == MemoryKind::device));
      case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR: return give(data, static_cast<CUdeviceptr>(allocation->base));
      case CU_POINTER_ATTRIBUTE_RANGE_SIZE: return give(data, allocation->bytes);
      case CU_POINTER_ATTRIBUTE_MAPPED: return give(data, 1U);
      case CU_POINTER_ATTRIBUTE_ALLOWED_HANDLE_TYPES: return give(data, static_cast<unsigned>(handleTypesOf(pointer)));
      case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS:
      case CU_POINTER_ATTRIBUTE_IS_GPU_DIRECT_RDMA_CAPABLE: return give(data, 0U);
      default: return CUDA_ERROR_INVALID_VALUE;
    }
  });
}

CUresult pointerSetAttribute(const void* value, CUpointer_attribute attribute, CUdeviceptr pointer) {
  return driverCall("cuPointerSetAttribute", Needs::device, [&] {
    const bool known = value != nullptr && attribute == CU_POINTER_ATTRIBUTE_SYNC_MEMOPS && find(pointer);
    return known ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

}  // namespace fakecuda
