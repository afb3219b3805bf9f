// SPDX-License-Identifier: Apache-2.0
// Multicast objects: one address behind which every device of a team has memory of its own. Instructions on such
// addresses are the kernels' business, which find the memory by multicastReplicas(). A team lies within one process.
#include <sys/mman.h>

#include <algorithm>

#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/driver_functions.h"
#include "tests/fakecuda/runtime/memory_handles.h"
#include "tests/fakecuda/runtime/virtual_memory.h"

namespace fakecuda {
namespace {

bool isTeam(const CUmulticastObjectProp* properties) {
  return properties != nullptr && properties->numDevices > 1 &&
         properties->numDevices <= static_cast<unsigned>(deviceCount()) && properties->flags == 0;
}

CUresult bind(const MemoryHandlePtr& object, std::size_t offset, const MemoryHandlePtr& memory,
              std::size_t memoryOffset, std::size_t bytes) {
  const bool known = object != nullptr && object->isMulticast() && memory != nullptr && !memory->isMulticast();
  if (!known || bytes == 0 || (offset | memoryOffset | bytes) % kGranularity != 0) return CUDA_ERROR_INVALID_VALUE;
  if (offset + bytes > object->bytes || memoryOffset + bytes > memory->bytes) return CUDA_ERROR_INVALID_VALUE;
  const int device = memory->properties.location.id;
  const std::lock_guard lock(object->mutex);
  if (!object->devices.contains(device)) return CUDA_ERROR_INVALID_DEVICE;
  // A device blocks here until the whole team is there; nothing can be waited for in one process.
  if (object->devices.size() != object->devicesWanted) return CUDA_ERROR_ILLEGAL_STATE;
  const bool bound = std::any_of(object->bindings.begin(), object->bindings.end(), [&](const Binding& binding) {
    return binding.device == device && binding.offset < offset + bytes && offset < binding.offset + binding.bytes;
  });
  if (bound) return CUDA_ERROR_INVALID_VALUE;
  void* const place =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory->descriptor, static_cast<off_t>(memoryOffset));
  if (place == MAP_FAILED) return CUDA_ERROR_MAP_FAILED;
  object->bindings.push_back({device, offset, bytes, memory, place});
  return CUDA_SUCCESS;
}

}  // namespace

CUresult multicastCreate(CUmemGenericAllocationHandle* handle, const CUmulticastObjectProp* properties) {
  return driverCall("cuMulticastCreate", Needs::unsafe, [&] {
    if (handle == nullptr || !isTeam(properties) || properties->size == 0 || properties->size % kGranularity != 0) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    auto object = std::make_shared<MemoryHandle>();
    object->bytes = properties->size;
    object->devicesWanted = properties->numDevices;
    *handle = giveHandle(object);
    return CUDA_SUCCESS;
  });
}

CUresult multicastAddDevice(CUmemGenericAllocationHandle handle, CUdevice device) {
  return driverCall("cuMulticastAddDevice", Needs::unsafe, [&] {
    const MemoryHandlePtr object = memoryOf(handle);
    if (object == nullptr || !object->isMulticast()) return CUDA_ERROR_INVALID_VALUE;
    if (device < 0 || device >= deviceCount()) return CUDA_ERROR_INVALID_DEVICE;
    const std::lock_guard lock(object->mutex);
    if (object->devices.size() == object->devicesWanted) return CUDA_ERROR_INVALID_VALUE;
    return object->devices.insert(device).second ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

CUresult multicastBindMem(CUmemGenericAllocationHandle handle, std::size_t offset, CUmemGenericAllocationHandle memory,
                          std::size_t memoryOffset, std::size_t bytes, unsigned long long flags) {
  return driverCall("cuMulticastBindMem", Needs::unsafe, [&] {
    return flags != 0 ? CUDA_ERROR_INVALID_VALUE
                      : bind(memoryOf(handle), offset, memoryOf(memory), memoryOffset, bytes);
  });
}

CUresult multicastBindAddr(CUmemGenericAllocationHandle handle, std::size_t offset, CUdeviceptr pointer,
                           std::size_t bytes, unsigned long long flags) {
  return driverCall("cuMulticastBindAddr", Needs::unsafe, [&] {
    const std::optional<MappedPlace> place = mappedPlace(pointer);
    if (flags != 0 || !place) return CUDA_ERROR_INVALID_VALUE;
    return bind(memoryOf(handle), offset, place->memory, place->offset, bytes);
  });
}

CUresult multicastUnbind(CUmemGenericAllocationHandle handle, CUdevice device, std::size_t offset, std::size_t bytes) {
  return driverCall("cuMulticastUnbind", Needs::unsafe, [&] {
    const MemoryHandlePtr object = memoryOf(handle);
    if (object == nullptr || !object->isMulticast()) return CUDA_ERROR_INVALID_VALUE;
    const std::lock_guard lock(object->mutex);
    const auto found = std::find_if(object->bindings.begin(), object->bindings.end(), [&](const Binding& binding) {
      return binding.device == device && binding.offset == offset && binding.bytes == bytes;
    });
    if (found == object->bindings.end()) return CUDA_ERROR_INVALID_VALUE;
    munmap(found->place, found->bytes);
    object->bindings.erase(found);
    return CUDA_SUCCESS;
  });
}

CUresult multicastGetGranularity(std::size_t* granularity, const CUmulticastObjectProp* properties,
                                 CUmulticastGranularity_flags /*option*/) {
  return driverCall("cuMulticastGetGranularity", Needs::device, [&] {
    if (granularity == nullptr || !isTeam(properties)) return CUDA_ERROR_INVALID_VALUE;
    *granularity = kGranularity;
    return CUDA_SUCCESS;
  });
}

}  // namespace fakecuda
