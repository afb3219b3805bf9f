// SPDX-License-Identifier: Apache-2.0
// The driver's functions. They are not exported, as there is no libcuda here: cudaGetDriverEntryPointByVersion() gives
// them out. Each has the driver's type, which driver_entries.cc checks, and the driver's name without "cu".
#pragma once

#include <cuda.h>

#include <cstddef>
#include <utility>

#include "tests/fakecuda/runtime/calls.h"

namespace fakecuda {

/// call() for the driver's functions, which remember no error. The numbers are the same.
template <class Body>
CUresult driverCall(const char* function, Needs needs, Body&& body) {
  const cudaError_t refused = admit(function, needs);
  return refused == cudaSuccess ? std::forward<Body>(body)() : static_cast<CUresult>(refused);
}

// error_texts.cc
CUresult getErrorName(CUresult error, const char** name);
CUresult getErrorString(CUresult error, const char** sentence);

// driver_entries.cc
CUresult init(unsigned flags);
CUresult driverGetVersion(int* version);
CUresult deviceGet(CUdevice* device, int ordinal);
CUresult deviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice device);
CUresult ctxGetDevice(CUdevice* device);

// pointer_attributes.cc
CUresult memGetAddressRange(CUdeviceptr* base, std::size_t* bytes, CUdeviceptr pointer);
CUresult memGetHandleForAddressRange(void* handle, CUdeviceptr pointer, std::size_t bytes, CUmemRangeHandleType type,
                                     unsigned long long flags);
CUresult pointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr pointer);
CUresult pointerSetAttribute(const void* value, CUpointer_attribute attribute, CUdeviceptr pointer);

// memory_handles.cc
CUresult memCreate(CUmemGenericAllocationHandle* handle, std::size_t bytes, const CUmemAllocationProp* properties,
                   unsigned long long flags);
CUresult memRelease(CUmemGenericAllocationHandle handle);
CUresult memGetAllocationGranularity(std::size_t* granularity, const CUmemAllocationProp* properties,
                                     CUmemAllocationGranularity_flags option);
CUresult memGetAllocationPropertiesFromHandle(CUmemAllocationProp* properties, CUmemGenericAllocationHandle handle);
CUresult memExportToShareableHandle(void* shareable, CUmemGenericAllocationHandle handle,
                                    CUmemAllocationHandleType type, unsigned long long flags);
CUresult memImportFromShareableHandle(CUmemGenericAllocationHandle* handle, void* shareable,
                                      CUmemAllocationHandleType type);

// virtual_memory.cc
CUresult memAddressReserve(CUdeviceptr* pointer, std::size_t bytes, std::size_t alignment, CUdeviceptr wish,
                           unsigned long long flags);
CUresult memAddressFree(CUdeviceptr pointer, std::size_t bytes);
CUresult memMap(CUdeviceptr pointer, std::size_t bytes, std::size_t offset, CUmemGenericAllocationHandle handle,
                unsigned long long flags);
CUresult memUnmap(CUdeviceptr pointer, std::size_t bytes);
CUresult memSetAccess(CUdeviceptr pointer, std::size_t bytes, const CUmemAccessDesc* descriptions, std::size_t count);
CUresult memGetAccess(unsigned long long* flags, const CUmemLocation* location, CUdeviceptr pointer);
CUresult memRetainAllocationHandle(CUmemGenericAllocationHandle* handle, void* pointer);

// multicast.cc
CUresult multicastCreate(CUmemGenericAllocationHandle* handle, const CUmulticastObjectProp* properties);
CUresult multicastAddDevice(CUmemGenericAllocationHandle handle, CUdevice device);
CUresult multicastBindMem(CUmemGenericAllocationHandle handle, std::size_t offset, CUmemGenericAllocationHandle memory,
                          std::size_t memoryOffset, std::size_t bytes, unsigned long long flags);
CUresult multicastBindAddr(CUmemGenericAllocationHandle handle, std::size_t offset, CUdeviceptr pointer,
                           std::size_t bytes, unsigned long long flags);
CUresult multicastUnbind(CUmemGenericAllocationHandle handle, CUdevice device, std::size_t offset, std::size_t bytes);
CUresult multicastGetGranularity(std::size_t* granularity, const CUmulticastObjectProp* properties,
                                 CUmulticastGranularity_flags option);

}  // namespace fakecuda
