// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/memory_handles.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <map>

#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/driver_functions.h"
#include "tests/fakecuda/runtime/handles.h"

namespace fakecuda {
namespace {

/// Lies in the memfd behind the memory, where whoever is given the descriptor finds out what it is.
struct Label {
  char magic[16];
  int physicalDevice;
  unsigned handleTypes;
};
constexpr char kMagic[16] = "fake-gpu-memory";

/// What a fabric handle holds. Processes of one machine are all that there is, so the fabric is /proc.
struct FabricAddress {
  int process;
  int descriptor;
  ino_t inode;
};
static_assert(sizeof(FabricAddress) <= sizeof(CUmemFabricHandle));

struct Table {
  Handles<MemoryHandle, CUmemGenericAllocationHandle> handles;
  std::mutex mutex;
  std::map<CUmemGenericAllocationHandle, unsigned> references;
  std::map<const MemoryHandle*, CUmemGenericAllocationHandle> byObject;
};

Table& table() {
  static auto* const made = new Table;
  return *made;
}

bool isDeviceMemory(const CUmemAllocationProp* properties) {
  return properties != nullptr && properties->type == CU_MEM_ALLOCATION_TYPE_PINNED &&
         properties->location.type == CU_MEM_LOCATION_TYPE_DEVICE && properties->location.id >= 0 &&
         properties->location.id < deviceCount();
}

bool wantsFabric(const CUmemAllocationProp& properties) {
  return (properties.requestedHandleTypes & CU_MEM_HANDLE_TYPE_FABRIC) != 0;
}

/// Memory that a descriptor leads to, which the object then owns; null if it is none.
MemoryHandlePtr adopt(int descriptor) {
  auto memory = std::make_shared<MemoryHandle>();
  memory->descriptor = descriptor;
  struct stat facts {};
  Label label{};
  const bool read =
      fstat(descriptor, &facts) == 0 && facts.st_size > static_cast<off_t>(sizeof(label)) &&
      pread(descriptor, &label, sizeof(label), facts.st_size - static_cast<off_t>(sizeof(label))) == sizeof(label);
  if (!read || std::memcmp(label.magic, kMagic, sizeof(kMagic)) != 0) return nullptr;
  memory->bytes = static_cast<std::size_t>(facts.st_size) - sizeof(label);
  memory->physicalDevice = label.physicalDevice;
  memory->properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  memory->properties.requestedHandleTypes = static_cast<CUmemAllocationHandleType>(label.handleTypes);
  memory->properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  memory->properties.location.id = visibleNumber(label.physicalDevice);
  return memory;
}

CUresult importFrom(int descriptor, CUmemGenericAllocationHandle* handle) {
  if (descriptor < 0) return CUDA_ERROR_INVALID_VALUE;
  const MemoryHandlePtr memory = adopt(descriptor);
  if (memory == nullptr) return CUDA_ERROR_INVALID_VALUE;
  *handle = giveHandle(memory);
  return CUDA_SUCCESS;
}

}  // namespace

MemoryHandle::~MemoryHandle() {
  for (const Binding& binding : bindings) munmap(binding.place, binding.bytes);
  if (descriptor >= 0) close(descriptor);
}

CUmemGenericAllocationHandle giveHandle(const MemoryHandlePtr& memory) {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  auto known = all.byObject.find(memory.get());
  if (known == all.byObject.end()) known = all.byObject.emplace(memory.get(), all.handles.add(memory)).first;
  ++all.references[known->second];
  return known->second;
}

MemoryHandlePtr memoryOf(CUmemGenericAllocationHandle handle) {
  return table().handles.find(handle);
}

std::size_t liveMemoryHandles() {
  return table().handles.size();
}

void forgetMemoryHandles() {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  all.references.clear();
  all.byObject.clear();
  all.handles.clear();
}

CUresult memCreate(CUmemGenericAllocationHandle* handle, std::size_t bytes, const CUmemAllocationProp* properties,
                   unsigned long long flags) {
  return driverCall("cuMemCreate", Needs::unsafe, [&] {
    if (handle == nullptr || bytes == 0 || bytes % kGranularity != 0 || !isDeviceMemory(properties) || flags != 0) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    if (wantsFabric(*properties) && !configuration().fabric) return CUDA_ERROR_NOT_SUPPORTED;
    if (bytes > configuration().memoryBytes) return CUDA_ERROR_OUT_OF_MEMORY;
    auto memory = std::make_shared<MemoryHandle>();
    memory->bytes = bytes;
    memory->properties = *properties;
    memory->physicalDevice = physicalNumber(properties->location.id);
    memory->descriptor = memfd_create("fake-device-memory", MFD_CLOEXEC);
    Label label{{}, memory->physicalDevice, properties->requestedHandleTypes};
    std::memcpy(label.magic, kMagic, sizeof(kMagic));
    const bool made = memory->descriptor >= 0 &&
                      pwrite(memory->descriptor, &label, sizeof(label), static_cast<off_t>(bytes)) == sizeof(label);
    if (!made) return CUDA_ERROR_OUT_OF_MEMORY;
    *handle = giveHandle(memory);
    return CUDA_SUCCESS;
  });
}

CUresult memRelease(CUmemGenericAllocationHandle handle) {
  return driverCall("cuMemRelease", Needs::device, [&] {
    Table& all = table();
    MemoryHandlePtr gone;  // ends without the lock
    const std::lock_guard lock(all.mutex);
    const auto found = all.references.find(handle);
    if (found == all.references.end()) return CUDA_ERROR_INVALID_VALUE;
    if (--found->second > 0) return CUDA_SUCCESS;
    all.references.erase(found);
    gone = all.handles.remove(handle);
    all.byObject.erase(gone.get());
    return CUDA_SUCCESS;
  });
}

CUresult memGetAllocationGranularity(std::size_t* granularity, const CUmemAllocationProp* properties,
                                     CUmemAllocationGranularity_flags /*option*/) {
  return driverCall("cuMemGetAllocationGranularity", Needs::device, [&] {
    if (granularity == nullptr || !isDeviceMemory(properties)) return CUDA_ERROR_INVALID_VALUE;
    *granularity = kGranularity;
    return CUDA_SUCCESS;
  });
}

CUresult memGetAllocationPropertiesFromHandle(CUmemAllocationProp* properties, CUmemGenericAllocationHandle handle) {
  return driverCall("cuMemGetAllocationPropertiesFromHandle", Needs::device, [&] {
    const MemoryHandlePtr memory = memoryOf(handle);
    if (properties == nullptr || memory == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *properties = memory->properties;
    return CUDA_SUCCESS;
  });
}

CUresult memExportToShareableHandle(void* shareable, CUmemGenericAllocationHandle handle,
                                    CUmemAllocationHandleType type, unsigned long long flags) {
  return driverCall("cuMemExportToShareableHandle", Needs::device, [&] {
    const MemoryHandlePtr memory = memoryOf(handle);
    if (shareable == nullptr || memory == nullptr || flags != 0) return CUDA_ERROR_INVALID_VALUE;
    if (memory->isMulticast()) return CUDA_ERROR_NOT_SUPPORTED;  // between processes multicast is not modelled
    if ((memory->properties.requestedHandleTypes & type) == 0) return CUDA_ERROR_INVALID_VALUE;
    if (type == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) {
      const int copy = fcntl(memory->descriptor, F_DUPFD_CLOEXEC, 0);
      if (copy < 0) return CUDA_ERROR_OPERATING_SYSTEM;
      std::memcpy(shareable, &copy, sizeof(copy));
      return CUDA_SUCCESS;
    }
    if (type != CU_MEM_HANDLE_TYPE_FABRIC) return CUDA_ERROR_NOT_SUPPORTED;
    struct stat facts {};
    fstat(memory->descriptor, &facts);
    const FabricAddress address{getpid(), memory->descriptor, facts.st_ino};
    std::memset(shareable, 0, sizeof(CUmemFabricHandle));
    std::memcpy(shareable, &address, sizeof(address));
    return CUDA_SUCCESS;
  });
}

CUresult memImportFromShareableHandle(CUmemGenericAllocationHandle* handle, void* shareable,
                                      CUmemAllocationHandleType type) {
  return driverCall("cuMemImportFromShareableHandle", Needs::device, [&] {
    if (handle == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (type == CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR) {
      const auto descriptor = static_cast<int>(reinterpret_cast<std::intptr_t>(shareable));
      return importFrom(fcntl(descriptor, F_DUPFD_CLOEXEC, 0), handle);
    }
    if (type != CU_MEM_HANDLE_TYPE_FABRIC || !configuration().fabric) return CUDA_ERROR_NOT_SUPPORTED;
    FabricAddress address{};
    std::memcpy(&address, shareable, sizeof(address));
    const std::string path = "/proc/" + std::to_string(address.process) + "/fd/" + std::to_string(address.descriptor);
    const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts {};
    if (descriptor >= 0 && (fstat(descriptor, &facts) != 0 || facts.st_ino != address.inode)) {
      close(descriptor);
      return CUDA_ERROR_INVALID_HANDLE;
    }
    return importFrom(descriptor, handle);
  });
}

}  // namespace fakecuda
