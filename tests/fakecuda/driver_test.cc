// SPDX-License-Identifier: Apache-2.0
// The driver's functions: memory with addresses apart, multicast, and what is told of pointers.
#include <cuda.h>
#include <unistd.h>

#include "tests/fakecuda/fixture.h"

namespace fakecuda {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A driver's function as a program finds it.
template <class Function>
Function* entry(const char* name) {
  void* found = nullptr;
  cudaDriverEntryPointQueryResult status{};
  EXPECT_CUDA(cudaSuccess, cudaGetDriverEntryPointByVersion(name, &found, 12010, cudaEnableDefault, &status));
  EXPECT_EQ(status, cudaDriverEntryPointSuccess) << name;
  return reinterpret_cast<Function*>(found);
}
#define DRIVER(name) entry<decltype(::name)>(#name)

class Driver : public FakeCuda {};

class VirtualMemory : public FakeCuda {
 protected:
  void SetUp() override {
    FakeCuda::SetUp();
    properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 1};
    properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
    EXPECT_CUDA(cudaSuccess,
                DRIVER(cuMemGetAllocationGranularity)(&unit, &properties, CU_MEM_ALLOC_GRANULARITY_MINIMUM));
  }

  [[nodiscard]] CUmemGenericAllocationHandle create(int device = 1) {
    properties.location.id = device;
    CUmemGenericAllocationHandle handle = 0;
    EXPECT_CUDA(cudaSuccess, DRIVER(cuMemCreate)(&handle, unit, &properties, 0));
    return handle;
  }

  /// Reserves an address and maps memory there; `devices` may read and write it.
  [[nodiscard]] CUdeviceptr map(CUmemGenericAllocationHandle handle, const std::vector<int>& devices) const {
    CUdeviceptr address = 0;
    EXPECT_CUDA(cudaSuccess, DRIVER(cuMemAddressReserve)(&address, unit, 0, 0, 0));
    EXPECT_CUDA(cudaSuccess, DRIVER(cuMemMap)(address, unit, 0, handle, 0));
    for (const int device : devices) {
      const CUmemAccessDesc access{{CU_MEM_LOCATION_TYPE_DEVICE, device}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
      EXPECT_CUDA(cudaSuccess, DRIVER(cuMemSetAccess)(address, unit, &access, 1));
    }
    return address;
  }

  void unmap(CUdeviceptr address) const {
    EXPECT_CUDA(cudaSuccess, DRIVER(cuMemUnmap)(address, unit));
    EXPECT_CUDA(cudaSuccess, DRIVER(cuMemAddressFree)(address, unit));
  }

  static void release(CUmemGenericAllocationHandle handle) { EXPECT_CUDA(cudaSuccess, DRIVER(cuMemRelease)(handle)); }

  CUmemAllocationProp properties{};
  std::size_t unit = 0;
};

TEST_F(Driver, EntryPoints_AreFoundByNameAndVersion) {
  void* found = &found;
  cudaDriverEntryPointQueryResult status{};
  EXPECT_CUDA(cudaSuccess, cudaGetDriverEntryPointByVersion("cuNothing", &found, 12000, cudaEnableDefault, &status));
  EXPECT_EQ(status, cudaDriverEntryPointSymbolNotFound);
  EXPECT_EQ(found, nullptr);
  EXPECT_CUDA(cudaSuccess,
              cudaGetDriverEntryPointByVersion("cuMulticastCreate", &found, 11000, cudaEnableDefault, &status));
  EXPECT_EQ(status, cudaDriverEntryPointVersionNotSufficent);
  EXPECT_CUDA(cudaErrorInvalidValue,
              cudaGetDriverEntryPointByVersion("cuInit", &found, 99000, cudaEnableDefault, &status));
}

TEST_F(Driver, ErrorTexts_AreThereForKnownErrors) {
  const char* text = nullptr;
  EXPECT_CUDA(cudaSuccess, DRIVER(cuGetErrorString)(CUDA_ERROR_OUT_OF_MEMORY, &text));
  EXPECT_STREQ(text, "out of memory");
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuGetErrorString)(static_cast<CUresult>(1000), &text));
}

TEST_F(Driver, Pointers_HaveAttributes) {
  void* device = nullptr;
  ASSERT_CUDA(cudaSetDevice(2));
  ASSERT_CUDA(cudaMalloc(&device, 100));
  const auto inside = reinterpret_cast<CUdeviceptr>(device) + 10;
  CUdeviceptr base = 0;
  std::size_t bytes = 0;
  int ordinal = -1;
  unsigned type = 0;
  unsigned shareable = 0;
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemGetAddressRange)(&base, &bytes, inside));
  EXPECT_EQ(base, reinterpret_cast<CUdeviceptr>(device));
  EXPECT_EQ(bytes, 100U);
  EXPECT_CUDA(cudaSuccess, DRIVER(cuPointerGetAttribute)(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, inside));
  EXPECT_EQ(ordinal, 2);
  EXPECT_CUDA(cudaSuccess, DRIVER(cuPointerGetAttribute)(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, inside));
  EXPECT_EQ(type, static_cast<unsigned>(CU_MEMORYTYPE_DEVICE));
  EXPECT_CUDA(cudaSuccess,
              DRIVER(cuPointerGetAttribute)(&shareable, CU_POINTER_ATTRIBUTE_IS_LEGACY_CUDA_IPC_CAPABLE, inside));
  EXPECT_EQ(shareable, 1U);
  EXPECT_CUDA(cudaSuccess, cudaFree(device));
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE,
              DRIVER(cuPointerGetAttribute)(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, inside));
}

TEST_F(VirtualMemory, IsUsableByTheDevicesThatWereTold) {
  const CUmemGenericAllocationHandle handle = create();
  const CUdeviceptr address = map(handle, {0, 1});
  auto* const memory = reinterpret_cast<int*>(address);
  release(handle);
  EXPECT_TRUE(mayAccess(0, memory, unit));
  EXPECT_FALSE(mayAccess(2, memory, unit));
  memory[0] = 42;
  int value = 0;
  EXPECT_CUDA(cudaSuccess, cudaMemcpy(&value, memory, 4, cudaMemcpyDeviceToHost));
  EXPECT_EQ(value, 42);
  unsigned long long access = 0;
  const CUmemLocation other{CU_MEM_LOCATION_TYPE_DEVICE, 3};
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemGetAccess)(&access, &other, address));
  EXPECT_EQ(access, static_cast<unsigned long long>(CU_MEM_ACCESS_FLAGS_PROT_NONE));
  cudaPointerAttributes attributes{};
  ASSERT_CUDA(cudaPointerGetAttributes(&attributes, memory));
  EXPECT_EQ(attributes.type, cudaMemoryTypeDevice);
  EXPECT_EQ(attributes.device, 1);
  unmap(address);
}

TEST_F(VirtualMemory, WrongSizesAndPlaces_AreRefused) {
  const CUmemGenericAllocationHandle handle = create();
  CUmemGenericAllocationHandle odd = 0;
  CUdeviceptr address = 0;
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuMemCreate)(&odd, unit + 1, &properties, 0));
  EXPECT_CUDA(CUDA_ERROR_OUT_OF_MEMORY, DRIVER(cuMemCreate)(&odd, std::size_t{1} << 50, &properties, 0));
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemAddressReserve)(&address, 2 * unit, 0, 0, 0));
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuMemMap)(address, 2 * unit, 0, handle, 0));
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuMemMap)(address + 2 * unit, unit, 0, handle, 0));
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemMap)(address, unit, 0, handle, 0));
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuMemMap)(address, unit, 0, handle, 0));
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemMap)(address + unit, unit, 0, handle, 0));
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuMemAddressFree)(address, 2 * unit));
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemUnmap)(address, 2 * unit));
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuMemUnmap)(address, unit));
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemAddressFree)(address, 2 * unit));
  release(handle);
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuMemRelease)(handle));
}

TEST_F(VirtualMemory, Access_NeedsDevicesThatReachEachOther) {
  resetWith([](Configuration& machine) { machine.peers = "0-1"; });
  const CUmemGenericAllocationHandle handle = create(1);
  const CUdeviceptr address = map(handle, {0});
  const CUmemAccessDesc far{{CU_MEM_LOCATION_TYPE_DEVICE, 2}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  EXPECT_CUDA(CUDA_ERROR_PEER_ACCESS_UNSUPPORTED, DRIVER(cuMemSetAccess)(address, unit, &far, 1));
  unmap(address);
  release(handle);
}

TEST_F(VirtualMemory, Descriptors_LeadToTheSameMemory) {
  const CUmemGenericAllocationHandle handle = create();
  const CUdeviceptr address = map(handle, {1});
  int descriptor = -1;
  EXPECT_CUDA(cudaSuccess,
              DRIVER(cuMemExportToShareableHandle)(&descriptor, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
  CUmemGenericAllocationHandle imported = 0;
  EXPECT_CUDA(cudaSuccess,
              DRIVER(cuMemImportFromShareableHandle)(&imported, reinterpret_cast<void*>(std::intptr_t{descriptor}),
                                                     CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
  close(descriptor);
  const CUdeviceptr again = map(imported, {1});
  *reinterpret_cast<int*>(address) = 7;
  EXPECT_EQ(*reinterpret_cast<int*>(again), 7);
  CUmemAllocationProp told{};
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemGetAllocationPropertiesFromHandle)(&told, imported));
  EXPECT_EQ(told.location.id, 1);
  unmap(address);
  unmap(again);
  release(handle);
  release(imported);
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE,
              DRIVER(cuMemImportFromShareableHandle)(&imported, reinterpret_cast<void*>(std::intptr_t{0}),
                                                     CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
}

TEST_F(VirtualMemory, RetainedHandle_IsTheSameAndCounted) {
  const CUmemGenericAllocationHandle handle = create();
  const CUdeviceptr address = map(handle, {1});
  CUmemGenericAllocationHandle again = 0;
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemRetainAllocationHandle)(&again, reinterpret_cast<void*>(address + 5)));
  EXPECT_EQ(again, handle);
  release(handle);
  unmap(address);
  EXPECT_EQ(liveObjects().memoryHandles, 1U);
  release(again);
}

TEST_F(VirtualMemory, FabricHandles_WorkOnlyWhereTheMachineHasThem) {
  CUmemGenericAllocationHandle handle = 0;
  CUmemFabricHandle fabric{};
  int supported = -1;
  properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_FABRIC;
  EXPECT_CUDA(CUDA_ERROR_NOT_SUPPORTED, DRIVER(cuMemCreate)(&handle, unit, &properties, 0));
  EXPECT_CUDA(cudaSuccess,
              DRIVER(cuDeviceGetAttribute)(&supported, CU_DEVICE_ATTRIBUTE_HANDLE_TYPE_FABRIC_SUPPORTED, 0));
  EXPECT_EQ(supported, 0);
  resetWith([](Configuration& machine) { machine.fabric = true; });
  handle = create();
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemExportToShareableHandle)(&fabric, handle, CU_MEM_HANDLE_TYPE_FABRIC, 0));
  CUmemGenericAllocationHandle imported = 0;
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMemImportFromShareableHandle)(&imported, &fabric, CU_MEM_HANDLE_TYPE_FABRIC));
  const CUdeviceptr here = map(handle, {1});
  const CUdeviceptr there = map(imported, {1});
  *reinterpret_cast<int*>(here) = 9;
  EXPECT_EQ(*reinterpret_cast<int*>(there), 9);
  unmap(here);
  unmap(there);
  release(handle);
  release(imported);
}

TEST_F(VirtualMemory, Multicast_JoinsMemoryOfSeveralDevices) {
  CUmulticastObjectProp team{};
  team.numDevices = 1;
  team.size = unit;
  CUmemGenericAllocationHandle object = 0;
  EXPECT_CUDA(CUDA_ERROR_INVALID_VALUE, DRIVER(cuMulticastCreate)(&object, &team));
  team.numDevices = 2;
  ASSERT_CUDA(DRIVER(cuMulticastCreate)(&object, &team));
  const CUmemGenericAllocationHandle memories[] = {create(0), create(1)};
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMulticastAddDevice)(object, 0));
  EXPECT_CUDA(CUDA_ERROR_ILLEGAL_STATE, DRIVER(cuMulticastBindMem)(object, 0, memories[0], 0, unit, 0));
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMulticastAddDevice)(object, 1));
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMulticastBindMem)(object, 0, memories[0], 0, unit, 0));
  const CUdeviceptr second = map(memories[1], {1});
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMulticastBindAddr)(object, 0, second, unit, 0));
  const CUdeviceptr all = map(object, {0, 1});
  const std::vector<void*> replicas = multicastReplicas(reinterpret_cast<void*>(all + 64));
  ASSERT_THAT(replicas, SizeIs(2));
  for (void* replica : replicas) *static_cast<int*>(replica) = 5;
  EXPECT_EQ(*reinterpret_cast<int*>(second + 64), 5);
  int value = 0;
  EXPECT_CUDA(cudaErrorInvalidValue, cudaMemcpy(&value, reinterpret_cast<void*>(all), 4, cudaMemcpyDeviceToHost));
  EXPECT_CUDA(cudaSuccess, DRIVER(cuMulticastUnbind)(object, 0, 0, unit));
  EXPECT_THAT(multicastReplicas(reinterpret_cast<void*>(all)), SizeIs(1));
  EXPECT_THAT(multicastReplicas(reinterpret_cast<void*>(second)), IsEmpty());
  unmap(all);
  unmap(second);
  for (const CUmemGenericAllocationHandle handle : {object, memories[0], memories[1]}) release(handle);
}

}  // namespace
}  // namespace fakecuda
