// SPDX-License-Identifier: Apache-2.0
// Kernels: their launches, their blocks, and what is wrong with some.
#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/fakecuda/fixture.h"

// What the host code that nvcc writes calls.
extern "C" {
void** __cudaRegisterFatBinary(void* binary);
void __cudaRegisterFunction(void** handle, const char* symbol, char* function, const char* name, int threads,
                            uint3* thread, uint3* block, dim3* blockSize, dim3* gridSize, int* warps);
void __cudaRegisterFatBinaryEnd(void** handle);
void __cudaUnregisterFatBinary(void** handle);
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 threads, std::size_t shared, CUstream_st* stream);
cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* threads, std::size_t* shared, void* stream);
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* symbol);
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 threads, void** arguments, std::size_t shared,
                               cudaStream_t stream);
}

namespace fakecuda {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What nvcc would make of __global__ functions for the host: names whose addresses stand for kernels.
void addTo(int* /*data*/, int /*value*/) {}
void meet(int* /*arrived*/) {}
void wait(int* /*flag*/) {}
void release(int* /*flag*/) {}
void unheardOf(int* /*data*/) {}

class Kernels : public FakeCuda {
 protected:
  void SetUp() override {
    FakeCuda::SetUp();
    registerKernel(addTo, "addTo", [](const Block& block, int* data, int value) { data[block.number] += value; });
    // Every block waits until all have come, as a barrier over the grid does.
    registerKernel(meet, "meet", [](const Block& block, int* arrived) {
      std::atomic_ref<int> count(*arrived);
      count.fetch_add(1);
      while (count.load() < static_cast<int>(block.grid.x) && !block.lost()) std::this_thread::yield();
    });
    registerKernel(wait, "wait", [](const Block& block, int* flag) {
      while (std::atomic_ref<int>(*flag).load() == 0 && !block.lost()) std::this_thread::yield();
    });
    registerKernel(release, "release", [](const Block& /*block*/, int* flag) { setFlag(flag); });
  }

  template <class... P>
  static cudaError_t launch(void (*kernel)(P...), unsigned blocks, cudaStream_t stream, P... parameters) {
    void* arguments[] = {&parameters...};
    return cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(blocks), dim3(32), arguments, 0, stream);
  }

  /// Brings a kernel onto the device, as a program does that launches it while others run.
  template <class... P>
  static void preload(void (*kernel)(P...)) {
    cudaFuncAttributes attributes{};
    EXPECT_CUDA(cudaSuccess, cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel)));
  }

  static void setFlag(int* flag) { std::atomic_ref<int>(*flag).store(1); }
};

TEST_F(Kernels, Arguments_AreThoseOfTheLaunch) {
  DeviceInts data(4, 1);
  const cudaStream_t stream = makeStream();
  preload(addTo);
  Gate gate(stream);
  int value = 2;
  int* pointer = data.data();
  void* arguments[] = {&pointer, &value};
  EXPECT_CUDA(cudaSuccess,
              cudaLaunchKernel(reinterpret_cast<const void*>(addTo), dim3(4), dim3(1), arguments, 0, stream));
  value = 100;
  pointer = nullptr;
  gate.open();
  EXPECT_CUDA(cudaSuccess, cudaStreamSynchronize(stream));
  EXPECT_THAT(data.read(), Each(3));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Kernels, Unknown_IsAnErrorThatIsRemembered) {
  DeviceInts data(1);
  EXPECT_CUDA(cudaErrorInvalidDeviceFunction, launch(unheardOf, 1, nullptr, data.data()));
  EXPECT_THAT(takeFailures(), ElementsAre(HasSubstr("no test registered")));
}

TEST_F(Kernels, Blocks_MayWaitForEachOther) {
  DeviceInts arrived(1);
  EXPECT_CUDA(cudaSuccess, launch(meet, 40, nullptr, arrived.data()));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_THAT(arrived.read(), ElementsAre(40));
}

TEST_F(Kernels, OfSeveralStreams_MayWaitForEachOther) {
  DeviceInts flag(1);
  const cudaStream_t first = makeStream();
  const cudaStream_t second = makeStream();
  preload(release);
  EXPECT_CUDA(cudaSuccess, launch(wait, 1, first, flag.data()));
  EXPECT_CUDA(cudaSuccess, launch(release, 1, second, flag.data()));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(first));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(second));
}

TEST_F(Kernels, MoreBlocksThanTheDeviceHolds_RunWhenThereIsRoom) {
  resetWith([](Configuration& machine) { machine.multiprocessors = 2; });
  static std::atomic<int> running;
  static std::atomic<int> most;
  running = most = 0;
  KernelTraits oneToAMultiprocessor;
  oneToAMultiprocessor.staticSharedBytes = 40000;
  registerKernel(
      addTo, "addTo",
      [](const Block& block, int* data, int value) {
        const int now = ++running;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        data[block.number] += value;
        std::this_thread::yield();
        --running;
      },
      oneToAMultiprocessor);
  DeviceInts data(50);
  int blocks = 0;
  ASSERT_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reinterpret_cast<const void*>(addTo), 32, 0));
  EXPECT_EQ(blocks, 5);
  EXPECT_CUDA(cudaSuccess, launch(addTo, 50, nullptr, data.data(), 1));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_THAT(data.read(), Each(1));
  EXPECT_LE(most, 2 * blocks);
}

TEST_F(Kernels, CooperativeGrid_HasToFit) {
  resetWith([](Configuration& machine) { machine.multiprocessors = 2; });
  KernelTraits big;
  big.registers = 255;
  registerKernel(
      meet, "meet", [](const Block& /*block*/, int* arrived) { std::atomic_ref<int>(*arrived).fetch_add(1); }, big);
  DeviceInts arrived(1);
  int blocks = 0;
  ASSERT_CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reinterpret_cast<const void*>(meet), 256, 0));
  EXPECT_EQ(blocks, 1);
  int* pointer = arrived.data();
  void* arguments[] = {&pointer};
  const auto* const symbol = reinterpret_cast<const void*>(meet);
  EXPECT_CUDA(cudaSuccess, cudaLaunchCooperativeKernel(symbol, dim3(2), dim3(256), arguments, 0, nullptr));
  EXPECT_CUDA(cudaErrorCooperativeLaunchTooLarge,
              cudaLaunchCooperativeKernel(symbol, dim3(3), dim3(256), arguments, 0, nullptr));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_THAT(arrived.read(), ElementsAre(2));
}

TEST_F(Kernels, LaunchAttributes_AreHeeded) {
  DeviceInts data(4);
  int* pointer = data.data();
  int value = 5;
  void* arguments[] = {&pointer, &value};
  cudaLaunchAttribute attributes[2] = {};
  attributes[0].id = cudaLaunchAttributeClusterDimension;
  attributes[0].val.clusterDim.x = 2;
  attributes[0].val.clusterDim.y = attributes[0].val.clusterDim.z = 1;
  attributes[1].id = cudaLaunchAttributeCooperative;
  attributes[1].val.cooperative = 1;
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(4);
  config.blockDim = dim3(64);
  config.attrs = attributes;
  config.numAttrs = 2;
  const auto* const symbol = reinterpret_cast<const void*>(addTo);
  EXPECT_CUDA(cudaSuccess, cudaLaunchKernelExC(&config, symbol, arguments));
  config.gridDim = dim3(3);
  EXPECT_CUDA(cudaErrorInvalidConfiguration, cudaLaunchKernelExC(&config, symbol, arguments));
  attributes[0].val.clusterDim.x = 16;
  config.gridDim = dim3(16);
  EXPECT_CUDA(cudaErrorInvalidClusterSize, cudaLaunchKernelExC(&config, symbol, arguments));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_THAT(data.read(), Each(5));
}

TEST_F(Kernels, ImpossibleLaunches_AreRefused) {
  DeviceInts data(1);
  int* pointer = data.data();
  int value = 1;
  void* arguments[] = {&pointer, &value};
  const auto* const symbol = reinterpret_cast<const void*>(addTo);
  EXPECT_CUDA(cudaErrorInvalidConfiguration, cudaLaunchKernel(symbol, dim3(0), dim3(1), arguments, 0, nullptr));
  EXPECT_CUDA(cudaErrorInvalidConfiguration, cudaLaunchKernel(symbol, dim3(1), dim3(1025), arguments, 0, nullptr));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaLaunchKernel(symbol, dim3(1), dim3(1), arguments, 50000, nullptr));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaFuncSetAttribute(symbol, cudaFuncAttributeMaxDynamicSharedMemorySize, 300000));
  EXPECT_CUDA(cudaSuccess, cudaFuncSetAttribute(symbol, cudaFuncAttributeMaxDynamicSharedMemorySize, 50000));
  EXPECT_CUDA(cudaSuccess, cudaLaunchKernel(symbol, dim3(1), dim3(1), arguments, 50000, nullptr));
  const cudaStream_t stream = makeStream();
  ASSERT_CUDA(cudaSetDevice(1));
  EXPECT_CUDA(cudaErrorInvalidResourceHandle, cudaLaunchKernel(symbol, dim3(1), dim3(1), arguments, 0, stream));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
}

TEST_F(Kernels, DynamicSharedMemory_IsTheBlocksOwn) {
  registerKernel(addTo, "addTo", [](const Block& block, int* data, int /*value*/) {
    auto* const own = static_cast<unsigned*>(block.shared);
    for (std::size_t i = 0; i < block.sharedBytes / sizeof(unsigned); ++i) own[i] = block.number;
    data[block.number] = static_cast<int>(own[block.sharedBytes / sizeof(unsigned) - 1] + block.index.x + block.grid.x);
  });
  DeviceInts data(3);
  int* pointer = data.data();
  int value = 0;
  void* arguments[] = {&pointer, &value};
  EXPECT_CUDA(cudaSuccess,
              cudaLaunchKernel(reinterpret_cast<const void*>(addTo), dim3(3), dim3(1), arguments, 1024, nullptr));
  EXPECT_THAT(data.read(), ElementsAre(3, 5, 7));
}

TEST_F(Kernels, OtherDevicesMemory_FaultsWithoutPeerAccess) {
  DeviceInts data(1);
  ASSERT_CUDA(cudaSetDevice(1));
  ASSERT_CUDA(cudaDeviceEnablePeerAccess(0, 0));
  EXPECT_CUDA(cudaSuccess, launch(addTo, 1, nullptr, data.data(), 1));
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  ASSERT_CUDA(cudaDeviceDisablePeerAccess(0));
  EXPECT_CUDA(cudaSuccess, launch(addTo, 1, nullptr, data.data(), 1));
  EXPECT_CUDA(cudaErrorIllegalAddress, cudaDeviceSynchronize());
  EXPECT_THAT(takeFailures(), ElementsAre(HasSubstr("addTo on device 1 was given argument 0")));
  ASSERT_CUDA(cudaSetDevice(0));
  EXPECT_THAT(data.read(), ElementsAre(1));
}

TEST_F(Kernels, ThatThrow_LoseTheDevice) {
  registerKernel(addTo, "addTo",
                 [](const Block& /*block*/, int* /*data*/, int /*value*/) { throw std::runtime_error("no"); });
  int* nothing = nullptr;
  EXPECT_CUDA(cudaSuccess, launch(addTo, 1, nullptr, nothing, 1));
  EXPECT_CUDA(cudaErrorLaunchFailure, cudaDeviceSynchronize());
  EXPECT_CUDA(cudaErrorLaunchFailure, cudaGetLastError());
  EXPECT_CUDA(cudaErrorLaunchFailure, cudaGetLastError());
  EXPECT_THAT(takeFailures(), ElementsAre("kernel addTo threw: no"));
}

TEST_F(Kernels, LoadedByALaunch_WaitForTheDevicesWork) {
  DeviceInts flag(1);
  DeviceInts data(1);
  std::atomic<bool> waiting = true;
  const cudaStream_t first = makeStream();
  const cudaStream_t second = makeStream();
  EXPECT_CUDA(cudaSuccess, launch(wait, 1, first, flag.data()));
  std::thread launching([&] {
    EXPECT_CUDA(cudaSuccess, launch(addTo, 1, second, data.data(), 1));
    EXPECT_FALSE(waiting);
  });
  while (callCount("cudaLaunchKernel") < 2) std::this_thread::yield();
  waiting = false;
  setFlag(flag.data());
  launching.join();
  EXPECT_CUDA(cudaSuccess, cudaDeviceSynchronize());
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(first));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(second));
}

TEST_F(Kernels, OfCodeMadeByNvcc_AreKnownByName) {
  static const char symbol = 0;
  char name[] = "_Z6doublePi";
  void** const binary = __cudaRegisterFatBinary(nullptr);
  __cudaRegisterFunction(binary, &symbol, name, name, -1, nullptr, nullptr, nullptr, nullptr, nullptr);
  __cudaRegisterFatBinaryEnd(binary);
  registerKernel(nullptr, name, {{sizeof(int*), true}},
                 [](const Block& block, void** arguments) { (*static_cast<int**>(arguments[0]))[block.number] *= 2; });
  DeviceInts data(3, 4);
  // As in: kernel<<<3, 32>>>(data);
  dim3 grid;
  dim3 threads;
  std::size_t shared = 1;
  cudaStream_t stream = cudaStreamPerThread;
  cudaKernel_t kernel = nullptr;
  int* pointer = data.data();
  void* arguments[] = {&pointer};
  ASSERT_EQ(__cudaPushCallConfiguration(dim3(3), dim3(32), 0, nullptr), 0U);
  ASSERT_CUDA(__cudaGetKernel(&kernel, &symbol));
  ASSERT_CUDA(__cudaPopCallConfiguration(&grid, &threads, &shared, static_cast<void*>(&stream)));
  EXPECT_CUDA(cudaSuccess, __cudaLaunchKernel(kernel, grid, threads, arguments, shared, stream));
  EXPECT_THAT(data.read(), Each(8));
  __cudaUnregisterFatBinary(binary);
}

}  // namespace
}  // namespace fakecuda
