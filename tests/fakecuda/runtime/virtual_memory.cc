// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/virtual_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <map>

#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/driver_functions.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/memory_handles.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

struct Mapping {
  std::size_t bytes;
  std::size_t offset;
  MemoryHandlePtr memory;
};

struct AddressSpace {
  std::mutex mutex;
  std::map<CUdeviceptr, std::size_t> reservations;
  std::map<CUdeviceptr, Mapping> mappings;
};

AddressSpace& space() {
  static auto* const made = new AddressSpace;
  return *made;
}

void* address(CUdeviceptr pointer) {
  return reinterpret_cast<void*>(pointer);
}

bool isReserved(const AddressSpace& all, CUdeviceptr pointer, std::size_t bytes) {
  auto after = all.reservations.upper_bound(pointer);
  if (after == all.reservations.begin()) return false;
  --after;
  return pointer + bytes <= after->first + after->second;
}

bool overlaps(const AddressSpace& all, CUdeviceptr pointer, std::size_t bytes) {
  return std::any_of(all.mappings.begin(), all.mappings.end(), [&](const auto& mapping) {
    return mapping.first < pointer + bytes && pointer < mapping.first + mapping.second.bytes;
  });
}

/// Are these whole mappings, one after the other without a gap?
bool areMapped(AddressSpace& all, CUdeviceptr pointer, std::size_t bytes) {
  CUdeviceptr next = pointer;
  while (next < pointer + bytes) {
    const auto mapping = all.mappings.find(next);
    if (mapping == all.mappings.end()) return false;
    next += mapping->second.bytes;
  }
  return next == pointer + bytes;
}

/// Makes addresses unusable again, but keeps them reserved.
void close(CUdeviceptr pointer, std::size_t bytes) {
  mmap(address(pointer), bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void setAccessor(Allocation& allocation, int device) {
  if (std::find(allocation.accessors.begin(), allocation.accessors.end(), device) == allocation.accessors.end()) {
    allocation.accessors.push_back(device);
  }
}

void removeAccessor(Allocation& allocation, int device) {
  std::erase(allocation.accessors, device);
}

bool mayReach(const MemoryHandle& memory, int device) {
  if (memory.isMulticast()) return memory.devices.contains(device);
  return canReach(device, memory.physicalDevice);
}

CUresult checkAccess(AddressSpace& all, CUdeviceptr pointer, std::size_t bytes, const CUmemAccessDesc& wanted) {
  if (wanted.location.type != CU_MEM_LOCATION_TYPE_DEVICE) return CUDA_ERROR_NOT_SUPPORTED;
  const int device = wanted.location.id;
  const bool known =
      wanted.flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE || wanted.flags == CU_MEM_ACCESS_FLAGS_PROT_NONE;
  if (device < 0 || device >= deviceCount() || !known) return CUDA_ERROR_INVALID_VALUE;
  for (CUdeviceptr next = pointer; next < pointer + bytes; next += all.mappings.at(next).bytes) {
    if (!mayReach(*all.mappings.at(next).memory, device)) return CUDA_ERROR_PEER_ACCESS_UNSUPPORTED;
  }
  return CUDA_SUCCESS;
}

}  // namespace

std::optional<MappedPlace> mappedPlace(CUdeviceptr pointer) {
  AddressSpace& all = space();
  const std::lock_guard lock(all.mutex);
  auto after = all.mappings.upper_bound(pointer);
  if (after == all.mappings.begin()) return std::nullopt;
  --after;
  const std::size_t within = pointer - after->first;
  if (within >= after->second.bytes) return std::nullopt;
  return MappedPlace{after->second.memory, after->second.offset + within};
}

CUresult memAddressReserve(CUdeviceptr* pointer, std::size_t bytes, std::size_t alignment, CUdeviceptr /*wish*/,
                           unsigned long long flags) {
  return driverCall("cuMemAddressReserve", Needs::unsafe, [&] {
    if (pointer == nullptr || bytes == 0 || bytes % kGranularity != 0 || flags != 0) return CUDA_ERROR_INVALID_VALUE;
    const std::size_t unit = std::max(alignment, kGranularity);
    if ((unit & (unit - 1)) != 0) return CUDA_ERROR_INVALID_VALUE;
    void* const place = mmap(nullptr, bytes + unit, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
    const auto begin = reinterpret_cast<CUdeviceptr>(place);
    const CUdeviceptr aligned = (begin + unit - 1) / unit * unit;
    if (aligned > begin) munmap(place, aligned - begin);
    munmap(address(aligned + bytes), begin + unit - aligned);
    AddressSpace& all = space();
    const std::lock_guard lock(all.mutex);
    all.reservations[aligned] = bytes;
    *pointer = aligned;
    return CUDA_SUCCESS;
  });
}

CUresult memAddressFree(CUdeviceptr pointer, std::size_t bytes) {
  return driverCall("cuMemAddressFree", Needs::unsafe, [&] {
    AddressSpace& all = space();
    const std::lock_guard lock(all.mutex);
    const auto found = all.reservations.find(pointer);
    if (found == all.reservations.end() || found->second != bytes || overlaps(all, pointer, bytes))
      return CUDA_ERROR_INVALID_VALUE;
    munmap(address(pointer), bytes);
    all.reservations.erase(found);
    return CUDA_SUCCESS;
  });
}

CUresult memMap(CUdeviceptr pointer, std::size_t bytes, std::size_t offset, CUmemGenericAllocationHandle handle,
                unsigned long long flags) {
  return driverCall("cuMemMap", Needs::unsafe, [&] {
    const MemoryHandlePtr memory = memoryOf(handle);
    AddressSpace& all = space();
    const std::lock_guard lock(all.mutex);
    const bool sized = memory != nullptr && bytes > 0 && bytes % kGranularity == 0 && offset % kGranularity == 0 &&
                       offset + bytes <= memory->bytes;
    if (!sized || flags != 0 || !isReserved(all, pointer, bytes) || overlaps(all, pointer, bytes))
      return CUDA_ERROR_INVALID_VALUE;
    // Not readable before cuMemSetAccess; multicast objects never are, for there is no one memory behind them.
    if (!memory->isMulticast() && mmap(address(pointer), bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, memory->descriptor,
                                       static_cast<off_t>(offset)) == MAP_FAILED) {
      return CUDA_ERROR_MAP_FAILED;
    }
    Allocation allocation;
    allocation.base = pointer;
    allocation.bytes = bytes;
    allocation.kind = memory->isMulticast() ? MemoryKind::multicast : MemoryKind::mapped;
    allocation.device = memory->isMulticast() ? currentDevice() : visibleNumber(memory->physicalDevice);
    allocation.physicalDevice = memory->physicalDevice;
    enter(std::move(allocation));
    all.mappings[pointer] = {bytes, offset, memory};
    return CUDA_SUCCESS;
  });
}

CUresult memUnmap(CUdeviceptr pointer, std::size_t bytes) {
  return driverCall("cuMemUnmap", Needs::unsafe, [&] {
    waitForDevice(-1);
    AddressSpace& all = space();
    const std::lock_guard lock(all.mutex);
    if (bytes == 0 || !areMapped(all, pointer, bytes)) return CUDA_ERROR_INVALID_VALUE;
    close(pointer, bytes);
    for (CUdeviceptr next = pointer; next < pointer + bytes;) {
      const auto mapping = all.mappings.find(next);
      takeOut(address(next), mapping->second.memory->isMulticast() ? MemoryKind::multicast : MemoryKind::mapped);
      next += mapping->second.bytes;
      all.mappings.erase(mapping);
    }
    return CUDA_SUCCESS;
  });
}

CUresult memSetAccess(CUdeviceptr pointer, std::size_t bytes, const CUmemAccessDesc* descriptions, std::size_t count) {
  return driverCall("cuMemSetAccess", Needs::unsafe, [&] {
    AddressSpace& all = space();
    const std::lock_guard lock(all.mutex);
    if (descriptions == nullptr || count == 0 || bytes == 0 || !areMapped(all, pointer, bytes))
      return CUDA_ERROR_INVALID_VALUE;
    for (std::size_t i = 0; i < count; ++i) {
      const CUresult wrong = checkAccess(all, pointer, bytes, descriptions[i]);
      if (wrong != CUDA_SUCCESS) return wrong;
    }
    for (CUdeviceptr next = pointer; next < pointer + bytes; next += all.mappings.at(next).bytes) {
      for (std::size_t i = 0; i < count; ++i) {
        const bool allowed = descriptions[i].flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
        update(next, allowed ? setAccessor : removeAccessor, descriptions[i].location.id);
      }
      const std::optional<Allocation> now = find(address(next));
      const bool readable = now->kind == MemoryKind::mapped && !now->accessors.empty();
      mprotect(address(next), now->bytes, readable ? PROT_READ | PROT_WRITE : PROT_NONE);
    }
    return CUDA_SUCCESS;
  });
}

CUresult memGetAccess(unsigned long long* flags, const CUmemLocation* location, CUdeviceptr pointer) {
  return driverCall("cuMemGetAccess", Needs::device, [&] {
    const std::optional<Allocation> allocation = find(address(pointer));
    const bool mapped =
        allocation && (allocation->kind == MemoryKind::mapped || allocation->kind == MemoryKind::multicast);
    if (flags == nullptr || location == nullptr || !mapped) return CUDA_ERROR_INVALID_VALUE;
    const std::vector<int>& told = allocation->accessors;
    const bool allowed = location->type == CU_MEM_LOCATION_TYPE_DEVICE &&
                         std::find(told.begin(), told.end(), location->id) != told.end();
    *flags = allowed ? CU_MEM_ACCESS_FLAGS_PROT_READWRITE : CU_MEM_ACCESS_FLAGS_PROT_NONE;
    return CUDA_SUCCESS;
  });
}

CUresult memRetainAllocationHandle(CUmemGenericAllocationHandle* handle, void* pointer) {
  return driverCall("cuMemRetainAllocationHandle", Needs::device, [&] {
    const std::optional<MappedPlace> place = mappedPlace(reinterpret_cast<CUdeviceptr>(pointer));
    if (handle == nullptr || !place) return CUDA_ERROR_INVALID_VALUE;
    *handle = giveHandle(place->memory);
    return CUDA_SUCCESS;
  });
}

std::vector<void*> multicastReplicas(const void* pointer) {
  std::vector<void*> replicas;
  const std::optional<MappedPlace> place = mappedPlace(reinterpret_cast<CUdeviceptr>(pointer));
  if (!place) return replicas;
  const std::size_t offset = place->offset;
  const std::lock_guard lock(place->memory->mutex);
  for (const Binding& binding : place->memory->bindings) {
    if (offset - binding.offset < binding.bytes)
      replicas.push_back(static_cast<char*>(binding.place) + (offset - binding.offset));
  }
  return replicas;
}

void forgetVirtualMemory() {
  AddressSpace& all = space();
  {
    const std::lock_guard lock(all.mutex);
    for (const auto& [pointer, mapping] : all.mappings) {
      takeOut(address(pointer), mapping.memory->isMulticast() ? MemoryKind::multicast : MemoryKind::mapped);
    }
    all.mappings.clear();
    for (const auto& [pointer, bytes] : all.reservations) munmap(address(pointer), bytes);
    all.reservations.clear();
  }
  forgetMemoryHandles();
}

}  // namespace fakecuda
