// SPDX-License-Identifier: Apache-2.0
// Devices and memory: what there is, whose it is, and what may be done with it.
#include <cstring>
#include <numeric>

#include "tests/fakecuda/fixture.h"

namespace fakecuda {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Devices : public FakeCuda {};
class Memory : public FakeCuda {};

cudaPointerAttributes attributesOf(const void* pointer) {
  cudaPointerAttributes attributes{};
  EXPECT_CUDA(cudaSuccess, cudaPointerGetAttributes(&attributes, pointer));
  return attributes;
}

TEST_F(Devices, Number_IsAsConfigured) {
  int count = 0;
  resetWith([](Configuration& machine) { machine.devices = 3; });
  EXPECT_CUDA(cudaSuccess, cudaGetDeviceCount(&count));
  EXPECT_EQ(count, 3);
  EXPECT_CUDA(cudaErrorInvalidDevice, cudaSetDevice(3));
}

TEST_F(Devices, None_IsAnErrorEverywhere) {
  resetWith([](Configuration& machine) { machine.devices = 0; });
  int count = -1;
  void* pointer = nullptr;
  EXPECT_CUDA(cudaErrorNoDevice, cudaGetDeviceCount(&count));
  EXPECT_EQ(count, 0);
  EXPECT_CUDA(cudaErrorNoDevice, cudaMalloc(&pointer, 16));
}

TEST_F(Devices, Current_IsTheThreadsOwn) {
  ASSERT_CUDA(cudaSetDevice(2));
  int inThread = -1;
  int here = -1;
  std::thread([&] { cudaGetDevice(&inThread); }).join();
  ASSERT_CUDA(cudaGetDevice(&here));
  EXPECT_EQ(inThread, 0);
  EXPECT_EQ(here, 2);
}

TEST_F(Devices, Visible_KeepTheirIdentity) {
  char whole[16];
  char chosen[16];
  int device = -1;
  ASSERT_CUDA(cudaDeviceGetPCIBusId(whole, sizeof(whole), 2));
  resetWith([](Configuration& machine) { machine.visible = {3, 2}; });
  ASSERT_CUDA(cudaDeviceGetPCIBusId(chosen, sizeof(chosen), 1));
  EXPECT_STREQ(whole, chosen);
  ASSERT_CUDA(cudaDeviceGetByPCIBusId(&device, whole));
  EXPECT_EQ(device, 1);
}

TEST_F(Devices, Properties_AgreeWithAttributes) {
  cudaDeviceProp properties{};
  int value = 0;
  ASSERT_CUDA(cudaGetDeviceProperties(&properties, 1));
  EXPECT_EQ(properties.major, 9);
  ASSERT_CUDA(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 1));
  EXPECT_EQ(value, properties.multiProcessorCount);
  EXPECT_CUDA(cudaErrorInvalidValue, cudaDeviceGetAttribute(&value, cudaDevAttrMax, 1));
}

TEST_F(Devices, PeerAccess_IsEnabledOnceAndDisabledOnce) {
  EXPECT_CUDA(cudaErrorPeerAccessNotEnabled, cudaDeviceDisablePeerAccess(1));
  EXPECT_CUDA(cudaSuccess, cudaDeviceEnablePeerAccess(1, 0));
  EXPECT_CUDA(cudaErrorPeerAccessAlreadyEnabled, cudaDeviceEnablePeerAccess(1, 0));
  EXPECT_CUDA(cudaSuccess, cudaDeviceDisablePeerAccess(1));
  EXPECT_CUDA(cudaErrorInvalidDevice, cudaDeviceEnablePeerAccess(0, 0));
}

TEST_F(Devices, PeerAccess_IsForThosePairsOnlyThatReachEachOther) {
  resetWith([](Configuration& machine) { machine.peers = "0-1,2-3"; });
  const auto can = [](int device, int peer) {
    int value = -1;
    EXPECT_CUDA(cudaSuccess, cudaDeviceCanAccessPeer(&value, device, peer));
    return value;
  };
  EXPECT_EQ(can(0, 1), 1);
  EXPECT_EQ(can(1, 0), 1);
  EXPECT_EQ(can(0, 2), 0);
  EXPECT_EQ(can(2, 2), 0);
  EXPECT_CUDA(cudaErrorPeerAccessUnsupported, cudaDeviceEnablePeerAccess(2, 0));
}

TEST_F(Memory, Pointers_TellWhatTheyPointTo) {
  void* device = nullptr;
  void* pinned = nullptr;
  void* managed = nullptr;
  std::vector<char> own(4096);
  ASSERT_CUDA(cudaSetDevice(1));
  ASSERT_CUDA(cudaMalloc(&device, 100));
  ASSERT_CUDA(cudaHostAlloc(&pinned, 100, cudaHostAllocMapped));
  ASSERT_CUDA(cudaMallocManaged(&managed, 100, cudaMemAttachGlobal));
  EXPECT_EQ(attributesOf(static_cast<char*>(device) + 99).type, cudaMemoryTypeDevice);
  EXPECT_EQ(attributesOf(device).device, 1);
  EXPECT_EQ(attributesOf(device).hostPointer, nullptr);
  EXPECT_EQ(attributesOf(pinned).type, cudaMemoryTypeHost);
  EXPECT_EQ(attributesOf(managed).type, cudaMemoryTypeManaged);
  EXPECT_EQ(attributesOf(own.data()).type, cudaMemoryTypeUnregistered);
  EXPECT_EQ(attributesOf(own.data()).devicePointer, nullptr);
  ASSERT_CUDA(cudaHostRegister(own.data(), own.size(), cudaHostRegisterDefault));
  EXPECT_EQ(attributesOf(own.data() + 5).type, cudaMemoryTypeHost);
  EXPECT_CUDA(cudaErrorHostMemoryAlreadyRegistered, cudaHostRegister(own.data(), 1, cudaHostRegisterDefault));
  void* mapped = nullptr;
  EXPECT_CUDA(cudaSuccess, cudaHostGetDevicePointer(&mapped, own.data(), 0));
  EXPECT_EQ(mapped, own.data());
  EXPECT_CUDA(cudaSuccess, cudaHostUnregister(own.data()));
  EXPECT_CUDA(cudaErrorHostMemoryNotRegistered, cudaHostUnregister(own.data()));
  EXPECT_CUDA(cudaSuccess, cudaFree(managed));
  EXPECT_CUDA(cudaSuccess, cudaFreeHost(pinned));
  EXPECT_CUDA(cudaSuccess, cudaFree(device));
  EXPECT_EQ(attributesOf(device).type, cudaMemoryTypeUnregistered);
}

TEST_F(Memory, Free_TwiceOrInsideOrOfAnotherKind_IsAnError) {
  void* device = nullptr;
  void* pinned = nullptr;
  ASSERT_CUDA(cudaMalloc(&device, 100));
  ASSERT_CUDA(cudaMallocHost(&pinned, 100));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaFree(static_cast<char*>(device) + 1));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaFree(pinned));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaFreeHost(device));
  EXPECT_CUDA(cudaSuccess, cudaFree(device));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaFree(device));
  EXPECT_CUDA(cudaSuccess, cudaFreeHost(pinned));
  EXPECT_CUDA(cudaSuccess, cudaFree(nullptr));
}

TEST_F(Memory, Allocation_BeyondWhatTheDeviceHas_Fails) {
  resetWith([](Configuration& machine) { machine.memoryBytes = 1 << 20; });
  void* first = nullptr;
  void* second = nullptr;
  std::size_t free = 0;
  std::size_t total = 0;
  ASSERT_CUDA(cudaMalloc(&first, 700 << 10));
  EXPECT_CUDA(cudaErrorMemoryAllocation, cudaMalloc(&second, 700 << 10));
  EXPECT_EQ(second, nullptr);
  ASSERT_CUDA(cudaMemGetInfo(&free, &total));
  EXPECT_EQ(total, 1U << 20);
  EXPECT_EQ(free, (1U << 20) - (700U << 10));
  ASSERT_CUDA(cudaSetDevice(1));
  EXPECT_CUDA(cudaSuccess, cudaMalloc(&second, 700 << 10));
  EXPECT_CUDA(cudaSuccess, cudaFree(first));
  EXPECT_CUDA(cudaSuccess, cudaFree(second));
}

TEST_F(Memory, FreshMemory_IsNotZero) {
  char* device = nullptr;
  ASSERT_CUDA(cudaMalloc(reinterpret_cast<void**>(&device), 64));
  EXPECT_THAT(std::vector<char>(device, device + 64), Each(::testing::Ne(0)));
  EXPECT_CUDA(cudaSuccess, cudaFree(device));
}

TEST_F(Memory, WritingPastTheEnd_IsFoundWhenItIsFreed) {
  char* device = nullptr;
  ASSERT_CUDA(cudaMalloc(reinterpret_cast<void**>(&device), 100));
  device[100] = 1;
  EXPECT_CUDA(cudaSuccess, cudaFree(device));
  EXPECT_THAT(takeFailures(), ElementsAre(HasSubstr("past the end of an allocation of 100 bytes on device 0")));
}

TEST_F(Memory, Copies_GoWhereTheirKindSays) {
  DeviceInts source(4, 7);
  DeviceInts target(4);
  EXPECT_CUDA(cudaSuccess, cudaMemcpy(target.data(), source.data(), 16, cudaMemcpyDeviceToDevice));
  EXPECT_THAT(target.read(), Each(7));
  EXPECT_CUDA(cudaSuccess, cudaMemset(target.data(), 1, 8));
  EXPECT_THAT(target.read(), ElementsAre(0x01010101, 0x01010101, 7, 7));
  int host = 0;
  EXPECT_CUDA(cudaSuccess, cudaMemcpy(&host, source.data() + 3, 4, cudaMemcpyDefault));
  EXPECT_EQ(host, 7);
}

TEST_F(Memory, Copies_OfTheWrongKindOrPastTheEnd_AreErrors) {
  DeviceInts device(4);
  int host[8] = {};
  EXPECT_CUDA(cudaErrorInvalidValue, cudaMemcpy(device.data(), host, 17, cudaMemcpyHostToDevice));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaMemcpy(host, device.data() + 3, 8, cudaMemcpyDeviceToHost));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaMemcpy(device.data(), host, 16, cudaMemcpyDeviceToHost));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaMemcpy(device.data(), host, 16, cudaMemcpyDeviceToDevice));
  EXPECT_CUDA(cudaErrorInvalidMemcpyDirection, cudaMemcpy(device.data(), host, 16, static_cast<cudaMemcpyKind>(7)));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaMemset(device.data(), 0, 17));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaMemset(host, 0, 4));
  EXPECT_CUDA(cudaSuccess, cudaMemcpy(nullptr, nullptr, 0, cudaMemcpyDefault));
}

TEST_F(Memory, AsynchronousCopy_ReadsPageableMemoryAtTheCallAndPinnedMemoryLater) {
  DeviceInts target(2);
  const cudaStream_t stream = makeStream();
  int pageable = 1;
  int* pinned = nullptr;
  ASSERT_CUDA(cudaMallocHost(reinterpret_cast<void**>(&pinned), sizeof(int)));
  *pinned = 1;
  Gate gate(stream);
  EXPECT_CUDA(cudaSuccess, cudaMemcpyAsync(target.data(), &pageable, 4, cudaMemcpyHostToDevice, stream));
  EXPECT_CUDA(cudaSuccess, cudaMemcpyAsync(target.data() + 1, pinned, 4, cudaMemcpyHostToDevice, stream));
  pageable = *pinned = 2;
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_THAT(target.read(), ElementsAre(1, 2));
  EXPECT_CUDA(cudaSuccess, cudaFreeHost(pinned));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Memory, Free_WaitsForTheDevicesWork) {
  auto* const device = new DeviceInts(1);
  const cudaStream_t stream = makeStream();
  Diary diary;
  Gate gate(stream);
  diary.note(stream, 1);
  std::thread freeing([&] {
    delete device;
    EXPECT_THAT(diary.entries, ElementsAre(1));
  });
  gate.open();
  freeing.join();
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Memory, PairThatCorrupts_LosesWhatIsStoredAndTellsNobody) {
  resetWith([](Configuration& machine) { machine.corrupt = "0-1"; });
  void* here = nullptr;
  void* there = nullptr;
  void* beyond = nullptr;
  ASSERT_CUDA(cudaMalloc(&here, 4));
  ASSERT_CUDA(cudaSetDevice(1));
  ASSERT_CUDA(cudaMalloc(&there, 4));
  ASSERT_CUDA(cudaSetDevice(2));
  ASSERT_CUDA(cudaMalloc(&beyond, 4));
  ASSERT_CUDA(cudaSetDevice(0));
  ASSERT_CUDA(cudaDeviceEnablePeerAccess(1, 0));
  ASSERT_CUDA(cudaDeviceEnablePeerAccess(2, 0));
  const int before = 5;
  const int stored = 7;
  ASSERT_CUDA(cudaMemcpy(here, &stored, 4, cudaMemcpyHostToDevice));
  for (void* const target : {there, beyond}) {
    ASSERT_CUDA(cudaSetDevice(target == there ? 1 : 2));
    ASSERT_CUDA(cudaMemcpy(target, &before, 4, cudaMemcpyHostToDevice));
    ASSERT_CUDA(cudaSetDevice(0));
    EXPECT_CUDA(cudaSuccess, cudaMemcpyAsync(target, here, 4, cudaMemcpyDeviceToDevice, nullptr));
    ASSERT_CUDA(cudaStreamSynchronize(nullptr));
    ASSERT_CUDA(cudaSetDevice(target == there ? 1 : 2));
    int got = 0;
    ASSERT_CUDA(cudaMemcpy(&got, target, 4, cudaMemcpyDeviceToHost));
    EXPECT_EQ(got, target == there ? before : stored);
  }
  EXPECT_FALSE(storesArrive(0, there));
  EXPECT_FALSE(storesArrive(1, here));
  EXPECT_TRUE(storesArrive(0, here));
  EXPECT_TRUE(storesArrive(2, there));
  for (void* const memory : {here, there, beyond}) ASSERT_CUDA(cudaFree(memory));
}

TEST_F(Memory, OtherDevicesMemory_NeedsPeerAccess) {
  DeviceInts here(1);
  EXPECT_TRUE(mayAccess(0, here.data(), 4));
  EXPECT_FALSE(mayAccess(0, here.data(), 5));
  EXPECT_FALSE(mayAccess(1, here.data(), 4));
  ASSERT_CUDA(cudaSetDevice(1));
  ASSERT_CUDA(cudaDeviceEnablePeerAccess(0, 0));
  EXPECT_TRUE(mayAccess(1, here.data(), 4));
}

}  // namespace
}  // namespace fakecuda
