// SPDX-License-Identifier: Apache-2.0
// The driver's functions by name.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <type_traits>

#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/driver_functions.h"

namespace fakecuda {
namespace {

struct Entry {
  std::string_view name;
  void* function;
  unsigned since;  ///< CUDA version
};

/// `Official` is the driver's own type for the function, which must be what is here.
template <class Official, class Function>
Entry entry(std::string_view name, Function* function, unsigned since) {
  static_assert(std::is_same_v<Official, Function*>);
  return {name, reinterpret_cast<void*>(function), since};
}

const auto& entries() {
  static const std::array all{
      entry<decltype(&cuInit)>("cuInit", init, 2000),
      entry<decltype(&cuDriverGetVersion)>("cuDriverGetVersion", driverGetVersion, 2020),
      entry<decltype(&cuDeviceGet)>("cuDeviceGet", deviceGet, 2000),
      entry<decltype(&cuDeviceGetAttribute)>("cuDeviceGetAttribute", deviceGetAttribute, 2000),
      entry<decltype(&cuCtxGetDevice)>("cuCtxGetDevice", ctxGetDevice, 2000),
      entry<decltype(&cuGetErrorName)>("cuGetErrorName", getErrorName, 6000),
      entry<decltype(&cuGetErrorString)>("cuGetErrorString", getErrorString, 6000),
      entry<decltype(&cuPointerGetAttribute)>("cuPointerGetAttribute", pointerGetAttribute, 4000),
      entry<decltype(&cuPointerSetAttribute)>("cuPointerSetAttribute", pointerSetAttribute, 6000),
      entry<decltype(&cuMemGetAddressRange)>("cuMemGetAddressRange", memGetAddressRange, 3020),
      entry<decltype(&cuMemGetHandleForAddressRange)>("cuMemGetHandleForAddressRange", memGetHandleForAddressRange,
                                                      11070),
      entry<decltype(&cuMemCreate)>("cuMemCreate", memCreate, 10020),
      entry<decltype(&cuMemRelease)>("cuMemRelease", memRelease, 10020),
      entry<decltype(&cuMemAddressReserve)>("cuMemAddressReserve", memAddressReserve, 10020),
      entry<decltype(&cuMemAddressFree)>("cuMemAddressFree", memAddressFree, 10020),
      entry<decltype(&cuMemMap)>("cuMemMap", memMap, 10020),
      entry<decltype(&cuMemUnmap)>("cuMemUnmap", memUnmap, 10020),
      entry<decltype(&cuMemSetAccess)>("cuMemSetAccess", memSetAccess, 10020),
      entry<decltype(&cuMemGetAccess)>("cuMemGetAccess", memGetAccess, 10020),
      entry<decltype(&cuMemExportToShareableHandle)>("cuMemExportToShareableHandle", memExportToShareableHandle, 10020),
      entry<decltype(&cuMemImportFromShareableHandle)>("cuMemImportFromShareableHandle", memImportFromShareableHandle,
                                                       10020),
      entry<decltype(&cuMemGetAllocationGranularity)>("cuMemGetAllocationGranularity", memGetAllocationGranularity,
                                                      10020),
      entry<decltype(&cuMemGetAllocationPropertiesFromHandle)>("cuMemGetAllocationPropertiesFromHandle",
                                                               memGetAllocationPropertiesFromHandle, 10020),
      entry<decltype(&cuMemRetainAllocationHandle)>("cuMemRetainAllocationHandle", memRetainAllocationHandle, 11000),
      entry<decltype(&cuMulticastCreate)>("cuMulticastCreate", multicastCreate, 12010),
      entry<decltype(&cuMulticastAddDevice)>("cuMulticastAddDevice", multicastAddDevice, 12010),
      entry<decltype(&cuMulticastBindMem)>("cuMulticastBindMem", multicastBindMem, 12010),
      entry<decltype(&cuMulticastBindAddr)>("cuMulticastBindAddr", multicastBindAddr, 12010),
      entry<decltype(&cuMulticastUnbind)>("cuMulticastUnbind", multicastUnbind, 12010),
      entry<decltype(&cuMulticastGetGranularity)>("cuMulticastGetGranularity", multicastGetGranularity, 12010),
  };
  return all;
}

cudaError_t lookUp(const char* name, void** function, unsigned version, cudaDriverEntryPointQueryResult* status) {
  if (name == nullptr || function == nullptr) return cudaErrorInvalidValue;
  if (version > static_cast<unsigned>(configuration().driverVersion)) return cudaErrorInvalidValue;
  *function = nullptr;
  const auto found =
      std::find_if(entries().begin(), entries().end(), [&](const Entry& one) { return one.name == name; });
  const bool known = found != entries().end();
  if (known && version >= found->since) *function = found->function;
  if (status == nullptr) return cudaSuccess;
  *status = !known                 ? cudaDriverEntryPointSymbolNotFound
            : *function == nullptr ? cudaDriverEntryPointVersionNotSufficent
                                   : cudaDriverEntryPointSuccess;
  return cudaSuccess;
}

bool isDevice(CUdevice device) {
  return device >= 0 && device < deviceCount();
}

}  // namespace

CUresult init(unsigned flags) {
  return driverCall("cuInit", Needs::driver, [&] {
    if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
    return deviceCount() == 0 ? CUDA_ERROR_NO_DEVICE : CUDA_SUCCESS;
  });
}

CUresult driverGetVersion(int* version) {
  return driverCall("cuDriverGetVersion", Needs::nothing, [&] {
    if (version == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *version = configuration().driverVersion;
    return CUDA_SUCCESS;
  });
}

CUresult deviceGet(CUdevice* device, int ordinal) {
  return driverCall("cuDeviceGet", Needs::driver, [&] {
    if (device == nullptr) return CUDA_ERROR_INVALID_VALUE;
    if (!isDevice(ordinal)) return CUDA_ERROR_INVALID_DEVICE;
    *device = ordinal;
    return CUDA_SUCCESS;
  });
}

CUresult deviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device) {
  switch (attribute) {
    // What the runtime has no names for.
    case CU_DEVICE_ATTRIBUTE_VIRTUAL_MEMORY_MANAGEMENT_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_FABRIC_SUPPORTED:
    case CU_DEVICE_ATTRIBUTE_MULTICAST_SUPPORTED:
      return driverCall("cuDeviceGetAttribute", Needs::driver, [&] {
        if (value == nullptr) return CUDA_ERROR_INVALID_VALUE;
        if (!isDevice(device)) return CUDA_ERROR_INVALID_DEVICE;
        *value = attribute == CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_FABRIC_SUPPORTED
                     ? static_cast<int>(configuration().fabric)
                     : 1;
        return CUDA_SUCCESS;
      });
    default:
      return static_cast<CUresult>(cudaDeviceGetAttribute(value, static_cast<cudaDeviceAttr>(attribute), device));
  }
}

CUresult ctxGetDevice(CUdevice* device) {
  return driverCall("cuCtxGetDevice", Needs::device, [&] {
    if (device == nullptr) return CUDA_ERROR_INVALID_VALUE;
    *device = currentDevice();
    return CUDA_SUCCESS;
  });
}

}  // namespace fakecuda

extern "C" cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned version,
                                                        unsigned long long /*flags*/,
                                                        cudaDriverEntryPointQueryResult* status) {
  return fakecuda::call(__func__, fakecuda::Needs::driver,
                        [&] { return fakecuda::lookUp(name, function, version, status); });
}
