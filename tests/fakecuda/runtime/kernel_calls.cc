// SPDX-License-Identifier: Apache-2.0
// The runtime's functions about kernels, and those that code made by nvcc calls to register and launch its own.
#include <cuda_runtime_api.h>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/configuration.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/kernels.h"
#include "tests/fakecuda/runtime/streams.h"

namespace fakecuda {
namespace {

struct CallConfiguration {
  dim3 grid;
  dim3 threads;
  std::size_t sharedBytes;
  cudaStream_t stream;
};

/// What <<<…>>> said, until the stub of the kernel asks for it.
thread_local std::vector<CallConfiguration> pushedConfigurations;

cudaError_t launchKernel(Launch launch, void** arguments, cudaStream_t handle) {
  const StreamPtr stream = streamOf(handle);
  if (stream == nullptr || stream->device != currentDevice()) return cudaErrorInvalidResourceHandle;
  const cudaError_t wrong = complete(launch, arguments);
  if (wrong != cudaSuccess) return wrong;
  loadKernel(launch.symbol, *launch.kernel, currentDevice());
  return submit(handle, KernelWork{std::make_shared<const Launch>(std::move(launch))});
}

cudaError_t launchPlain(const void* symbol, dim3 grid, dim3 threads, void** arguments, std::size_t shared,
                        cudaStream_t stream, bool cooperative) {
  Launch launch;
  launch.symbol = symbol;
  launch.grid = grid;
  launch.threads = threads;
  launch.sharedBytes = shared;
  launch.cooperative = cooperative;
  return launchKernel(std::move(launch), arguments, stream);
}

cudaError_t readAttributes(const cudaLaunchConfig_t& config, Launch& launch) {
  if (config.numAttrs > 0 && config.attrs == nullptr) return cudaErrorInvalidValue;
  for (unsigned i = 0; i < config.numAttrs; ++i) {
    const cudaLaunchAttribute& attribute = config.attrs[i];
    switch (attribute.id) {
      case cudaLaunchAttributeCooperative: launch.cooperative = attribute.val.cooperative != 0; break;
      case cudaLaunchAttributeClusterDimension:
        launch.cluster = dim3(attribute.val.clusterDim.x, attribute.val.clusterDim.y, attribute.val.clusterDim.z);
        break;
      // Hints, which change nothing that a program could see here.
      case cudaLaunchAttributeIgnore:
      case cudaLaunchAttributeAccessPolicyWindow:
      case cudaLaunchAttributeSynchronizationPolicy:
      case cudaLaunchAttributeClusterSchedulingPolicyPreference:
      case cudaLaunchAttributePriority:
      case cudaLaunchAttributeMemSyncDomainMap:
      case cudaLaunchAttributeMemSyncDomain:
      case cudaLaunchAttributePreferredClusterDimension:
      case cudaLaunchAttributePreferredSharedMemoryCarveout:
      case cudaLaunchAttributeNvlinkUtilCentricScheduling: break;
      default: return cudaErrorNotSupported;
    }
  }
  return cudaSuccess;
}

cudaError_t occupancy(int* blocks, const void* symbol, int threads, std::size_t shared) {
  const std::shared_ptr<const Kernel> kernel = kernelOf(symbol);
  if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
  if (blocks == nullptr || threads <= 0 || threads > kThreadsPerBlock) return cudaErrorInvalidValue;
  *blocks = blocksPerMultiprocessor(*kernel, static_cast<unsigned>(threads), shared);
  return cudaSuccess;
}

}  // namespace
}  // namespace fakecuda

using namespace fakecuda;

extern "C" {

cudaError_t cudaLaunchKernel(const void* symbol, dim3 grid, dim3 threads, void** arguments, std::size_t shared,
                             cudaStream_t stream) {
  return call(__func__, Needs::device,
              [&] { return launchPlain(symbol, grid, threads, arguments, shared, stream, false); });
}

cudaError_t cudaLaunchCooperativeKernel(const void* symbol, dim3 grid, dim3 threads, void** arguments,
                                        std::size_t shared, cudaStream_t stream) {
  return call(__func__, Needs::device,
              [&] { return launchPlain(symbol, grid, threads, arguments, shared, stream, true); });
}

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* symbol, void** arguments) {
  return call(__func__, Needs::device, [&] {
    if (config == nullptr) return cudaErrorInvalidValue;
    Launch launch;
    launch.symbol = symbol;
    launch.grid = config->gridDim;
    launch.threads = config->blockDim;
    launch.sharedBytes = config->dynamicSmemBytes;
    const cudaError_t wrong = readAttributes(*config, launch);
    return wrong != cudaSuccess ? wrong : launchKernel(std::move(launch), arguments, config->stream);
  });
}

cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t function, void* data) {
  return call(__func__, Needs::device, [&] {
    if (function == nullptr) return cudaErrorInvalidValue;
    return submit(stream, HostWork{{function, data}});
  });
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* symbol) {
  return call(__func__, Needs::device, [&] {
    if (attributes == nullptr) return cudaErrorInvalidValue;
    const std::shared_ptr<const Kernel> kernel = kernelOf(symbol);
    if (kernel == nullptr) return cudaErrorInvalidDeviceFunction;
    loadKernel(symbol, *kernel, currentDevice());
    *attributes = {};
    attributes->sharedSizeBytes = kernel->traits.staticSharedBytes;
    attributes->maxThreadsPerBlock = kernel->traits.maxThreadsPerBlock;
    attributes->numRegs = kernel->traits.registers;
    attributes->ptxVersion = attributes->binaryVersion = 90;
    attributes->maxDynamicSharedSizeBytes = static_cast<int>(kernel->dynamicSharedLimit);
    return cudaSuccess;
  });
}

cudaError_t cudaFuncSetAttribute(const void* symbol, cudaFuncAttribute attribute, int value) {
  return call(__func__, Needs::device, [&] { return setKernelAttribute(symbol, attribute, value); });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* symbol, int threads,
                                                          std::size_t shared) {
  return call(__func__, Needs::device, [&] { return occupancy(blocks, symbol, threads, shared); });
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void* symbol, int threads,
                                                                   std::size_t shared, unsigned /*flags*/) {
  return call(__func__, Needs::device, [&] { return occupancy(blocks, symbol, threads, shared); });
}

// What nvcc's host code calls. The device code inside is not looked at; only names are.

void** __cudaRegisterFatBinary(void* binary) {
  static void* handle = nullptr;
  handle = binary;
  return &handle;
}

void __cudaRegisterFatBinaryEnd(void** /*handle*/) {}
void __cudaUnregisterFatBinary(void** /*handle*/) {}
char __cudaInitModule(void** /*handle*/) {
  return 1;
}

void __cudaRegisterFunction(void** /*handle*/, const char* symbol, char* /*function*/, const char* name,
                            int /*threads*/, uint3* /*thread*/, uint3* /*block*/, dim3* /*blockSize*/,
                            dim3* /*gridSize*/, int* /*warps*/) {
  nameSymbol(symbol, name);
}

void __cudaRegisterVar(void** /*handle*/, char* /*variable*/, char* /*address*/, const char* /*name*/, int /*external*/,
                       std::size_t /*bytes*/, int /*constant*/, int /*global*/) {}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 threads, std::size_t shared, CUstream_st* stream) {
  pushedConfigurations.push_back({grid, threads, shared, stream});
  return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3* grid, dim3* threads, std::size_t* shared, void* stream) {
  if (pushedConfigurations.empty()) return cudaErrorMissingConfiguration;
  const CallConfiguration pushed = pushedConfigurations.back();
  pushedConfigurations.pop_back();
  *grid = pushed.grid;
  *threads = pushed.threads;
  *shared = pushed.sharedBytes;
  *static_cast<cudaStream_t*>(stream) = pushed.stream;
  return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t* kernel, const void* symbol) {
  *kernel = static_cast<cudaKernel_t>(const_cast<void*>(symbol));
  return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 threads, void** arguments, std::size_t shared,
                               cudaStream_t stream) {
  return cudaLaunchKernel(kernel, grid, threads, arguments, shared, stream);
}

}  // extern "C"
