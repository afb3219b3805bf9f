// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/devices.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/memory.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

constexpr std::size_t kMostDevices = 64;

struct Fleet {
  std::array<std::atomic<int>, kMostDevices> errors{};
  std::mutex mutex;
  std::set<std::pair<int, int>> peers;  ///< access enabled: from, to
};

Fleet& fleet() {
  static auto* const made = new Fleet;
  return *made;
}

struct Current {
  unsigned long long generation = 0;
  int device = 0;
};

Current& current() {
  thread_local Current of;
  if (of.generation != generation()) of = {generation(), 0};
  return of;
}

bool isDevice(int device) {
  return device >= 0 && device < deviceCount();
}

cudaDeviceProp properties(int device) {
  cudaDeviceProp it;
  std::memset(&it, 0, sizeof(it));
  const int physical = physicalNumber(device);
  std::snprintf(it.name, sizeof(it.name), "Fake GPU %d", physical);
  std::snprintf(it.uuid.bytes, sizeof(it.uuid.bytes), "fake-gpu-%d", physical);
  it.totalGlobalMem = configuration().memoryBytes;
  it.sharedMemPerBlock = kSharedPerBlock;
  it.sharedMemPerBlockOptin = kSharedPerBlockOptIn;
  it.sharedMemPerMultiprocessor = kSharedPerMultiprocessor;
  it.reservedSharedMemPerBlock = kSharedReservedPerBlock;
  it.regsPerBlock = it.regsPerMultiprocessor = kRegistersPerMultiprocessor;
  it.warpSize = 32;
  it.maxThreadsPerBlock = kThreadsPerBlock;
  it.maxThreadsPerMultiProcessor = kThreadsPerMultiprocessor;
  it.maxBlocksPerMultiProcessor = kBlocksPerMultiprocessor;
  it.maxThreadsDim[0] = it.maxThreadsDim[1] = kThreadsPerBlock;
  it.maxThreadsDim[2] = 64;
  it.maxGridSize[0] = 2147483647;
  it.maxGridSize[1] = it.maxGridSize[2] = 65535;
  it.totalConstMem = 65536;
  it.memPitch = 2147483647;
  it.textureAlignment = 512;
  it.major = 9;
  it.minor = 0;
  it.multiProcessorCount = configuration().multiprocessors;
  it.pciBusID = physical + 1;
  it.memoryBusWidth = 6144;
  it.l2CacheSize = 50 << 20;
  it.asyncEngineCount = 3;
  it.canMapHostMemory = it.concurrentKernels = it.ECCEnabled = it.unifiedAddressing = it.managedMemory = 1;
  it.streamPrioritiesSupported = it.cooperativeLaunch = it.clusterLaunch = it.hostRegisterSupported = 1;
  it.canUseHostPointerForRegisteredMem = it.concurrentManagedAccess = it.computePreemptionSupported = 1;
  return it;
}

/// Attributes that programs ask for one by one. Anything else that CUDA knows is 0 here: not supported.
int attributeOf(const cudaDeviceProp& it, cudaDeviceAttr attribute) {
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock: return it.maxThreadsPerBlock;
    case cudaDevAttrMaxBlockDimX: return it.maxThreadsDim[0];
    case cudaDevAttrMaxGridDimX: return it.maxGridSize[0];
    case cudaDevAttrMaxSharedMemoryPerBlock: return static_cast<int>(it.sharedMemPerBlock);
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: return static_cast<int>(it.sharedMemPerBlockOptin);
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor: return static_cast<int>(it.sharedMemPerMultiprocessor);
    case cudaDevAttrReservedSharedMemoryPerBlock: return static_cast<int>(it.reservedSharedMemPerBlock);
    case cudaDevAttrMaxRegistersPerBlock: return it.regsPerBlock;
    case cudaDevAttrMaxRegistersPerMultiprocessor: return it.regsPerMultiprocessor;
    case cudaDevAttrMaxThreadsPerMultiProcessor: return it.maxThreadsPerMultiProcessor;
    case cudaDevAttrMaxBlocksPerMultiprocessor: return it.maxBlocksPerMultiProcessor;
    case cudaDevAttrWarpSize: return it.warpSize;
    case cudaDevAttrMultiProcessorCount: return it.multiProcessorCount;
    case cudaDevAttrComputeCapabilityMajor: return it.major;
    case cudaDevAttrComputeCapabilityMinor: return it.minor;
    case cudaDevAttrPciBusId: return it.pciBusID;
    case cudaDevAttrPciDeviceId: return it.pciDeviceID;
    case cudaDevAttrPciDomainId: return it.pciDomainID;
    case cudaDevAttrL2CacheSize: return it.l2CacheSize;
    case cudaDevAttrGlobalMemoryBusWidth: return it.memoryBusWidth;
    case cudaDevAttrMemoryClockRate: return 2619000;
    case cudaDevAttrClockRate: return 1980000;
    case cudaDevAttrAsyncEngineCount: return it.asyncEngineCount;
    case cudaDevAttrCanMapHostMemory:
    case cudaDevAttrConcurrentKernels:
    case cudaDevAttrUnifiedAddressing:
    case cudaDevAttrManagedMemory:
    case cudaDevAttrConcurrentManagedAccess:
    case cudaDevAttrStreamPrioritiesSupported:
    case cudaDevAttrCooperativeLaunch:
    case cudaDevAttrClusterLaunch:
    case cudaDevAttrHostRegisterSupported:
    case cudaDevAttrCanUseHostPointerForRegisteredMem:
    case cudaDevAttrComputePreemptionSupported: return 1;
    default: return 0;
  }
}

}  // namespace

int deviceCount() {
  return static_cast<int>(configuration().visible.size());
}

int currentDevice() {
  return current().device;
}

cudaError_t deviceError(int device) {
  if (!isDevice(device)) return cudaSuccess;
  return static_cast<cudaError_t>(fleet().errors.at(static_cast<std::size_t>(device)).load(std::memory_order_acquire));
}

void loseDevice(int device, cudaError_t error) {
  fleet().errors.at(static_cast<std::size_t>(device)).store(error, std::memory_order_release);
}

bool peerAccessEnabled(int device, int peer) {
  if (device == peer) return true;
  Fleet& all = fleet();
  const std::lock_guard lock(all.mutex);
  return all.peers.contains({device, peer});
}

bool canReach(int device, int physicalPeer) {
  return physicalNumber(device) == physicalPeer || peersByMachine(physicalNumber(device), physicalPeer);
}

void forgetDevices() {
  Fleet& all = fleet();
  for (std::atomic<int>& error : all.errors) error.store(cudaSuccess, std::memory_order_release);
  const std::lock_guard lock(all.mutex);
  all.peers.clear();
}

}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  return call(__func__, Needs::driver, [&] {
    if (count == nullptr) return cudaErrorInvalidValue;
    *count = deviceCount();
    return deviceCount() == 0 ? cudaErrorNoDevice : cudaSuccess;
  });
}

cudaError_t cudaGetDevice(int* device) {
  return call(__func__, Needs::driver, [&] {
    if (device == nullptr) return cudaErrorInvalidValue;
    if (deviceCount() == 0) return cudaErrorNoDevice;
    *device = currentDevice();
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return call(__func__, Needs::driver, [&] {
    if (deviceCount() == 0) return cudaErrorNoDevice;
    if (!isDevice(device)) return cudaErrorInvalidDevice;
    current().device = device;
    return deviceError(device);
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* result, int device) {
  return call(__func__, Needs::driver, [&] {
    if (result == nullptr) return cudaErrorInvalidValue;
    if (!isDevice(device)) return cudaErrorInvalidDevice;
    *result = properties(device);
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  return call(__func__, Needs::driver, [&] {
    if (value == nullptr || attribute < cudaDevAttrMaxThreadsPerBlock || attribute >= cudaDevAttrMax)
      return cudaErrorInvalidValue;
    if (!isDevice(device)) return cudaErrorInvalidDevice;
    *value = attributeOf(properties(device), attribute);
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  return call(__func__, Needs::driver, [&] {
    if (text == nullptr || length < 13) return cudaErrorInvalidValue;
    if (!isDevice(device)) return cudaErrorInvalidDevice;
    std::snprintf(text, static_cast<std::size_t>(length), "0000:%02X:00.0",
                  static_cast<unsigned>(physicalNumber(device) + 1));
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetByPCIBusId(int* device, const char* text) {
  return call(__func__, Needs::driver, [&] {
    unsigned domain = 0;
    unsigned bus = 0;
    if (device == nullptr || text == nullptr || std::sscanf(text, "%x:%x:", &domain, &bus) != 2)
      return cudaErrorInvalidValue;
    const int visible = visibleNumber(static_cast<int>(bus) - 1);
    if (visible < 0) return cudaErrorInvalidDevice;
    *device = visible;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return call(__func__, Needs::device, [&] {
    if (least != nullptr) *least = kLeastPriority;
    if (greatest != nullptr) *greatest = kGreatestPriority;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize() {
  return call(__func__, Needs::unsafe, [&] {
    waitForDevice(currentDevice());
    return deviceError(currentDevice());
  });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return call(__func__, Needs::device, [&] {
    if (free == nullptr || total == nullptr) return cudaErrorInvalidValue;
    *total = configuration().memoryBytes;
    *free = *total - bytesInUse(currentDevice());
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return call(__func__, Needs::driver, [&] {
    if (can == nullptr) return cudaErrorInvalidValue;
    if (!isDevice(device) || !isDevice(peer)) return cudaErrorInvalidDevice;
    *can = peersByMachine(physicalNumber(device), physicalNumber(peer)) ? 1 : 0;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetP2PAttribute(int* value, cudaDeviceP2PAttr attribute, int device, int peer) {
  return call(__func__, Needs::driver, [&] {
    if (value == nullptr) return cudaErrorInvalidValue;
    if (!isDevice(device) || !isDevice(peer) || device == peer) return cudaErrorInvalidDevice;
    const bool supported =
        attribute == cudaDevP2PAttrAccessSupported || attribute == cudaDevP2PAttrNativeAtomicSupported;
    *value = supported && peersByMachine(physicalNumber(device), physicalNumber(peer)) ? 1 : 0;
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned flags) {
  return call(__func__, Needs::device, [&] {
    if (flags != 0) return cudaErrorInvalidValue;
    if (!isDevice(peer) || peer == currentDevice()) return cudaErrorInvalidDevice;
    if (!peersByMachine(physicalNumber(currentDevice()), physicalNumber(peer))) return cudaErrorPeerAccessUnsupported;
    Fleet& all = fleet();
    const std::lock_guard lock(all.mutex);
    return all.peers.emplace(currentDevice(), peer).second ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
  });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return call(__func__, Needs::device, [&] {
    if (!isDevice(peer) || peer == currentDevice()) return cudaErrorInvalidDevice;
    Fleet& all = fleet();
    const std::lock_guard lock(all.mutex);
    return all.peers.erase({currentDevice(), peer}) == 1 ? cudaSuccess : cudaErrorPeerAccessNotEnabled;
  });
}

}  // extern "C"
