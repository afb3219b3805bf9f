// SPDX-License-Identifier: Apache-2.0
// Kernels: which there are, what they take, how many blocks of them a device holds, and their launches.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "tests/fakecuda/fakecuda.h"

namespace fakecuda {

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  KernelBody body;
  KernelTraits traits;
  std::size_t dynamicSharedLimit = 0;  ///< cudaFuncAttributeMaxDynamicSharedMemorySize
  bool largeClusters = false;          ///< cudaFuncAttributeNonPortableClusterSizeAllowed
};

/// A launch with its arguments copied.
struct Launch {
  const void* symbol = nullptr;
  std::shared_ptr<const Kernel> kernel;
  dim3 grid{1, 1, 1};
  dim3 threads{1, 1, 1};
  dim3 cluster{1, 1, 1};
  std::size_t sharedBytes = 0;
  bool cooperative = false;
  std::vector<std::byte> storage;
  std::vector<void*> arguments;  ///< into storage
};

unsigned long long blocksOf(const dim3& size);

/// The kernel of a symbol. An unknown one is remembered as a failure of the process.
std::shared_ptr<const Kernel> kernelOf(const void* symbol);

/// Notes the name that code made by nvcc gives a symbol.
void nameSymbol(const void* symbol, const char* name);

/// Changes a kernel for launches to come.
cudaError_t setKernelAttribute(const void* symbol, cudaFuncAttribute attribute, int value);

/// Brings a kernel onto a device, before its first use. Unless loading is eager this waits for all work of the device:
/// a driver may.
void loadKernel(const void* symbol, const Kernel& kernel, int device);
void forgetKernelLoads();

/// Blocks of the kernel that one multiprocessor holds at a time; 0 when it is too big for one.
int blocksPerMultiprocessor(const Kernel& kernel, unsigned long long threads, std::size_t sharedBytes);

/// Copies the arguments and checks everything about a launch that can be known now. On success `launch` is whole.
cudaError_t complete(Launch& launch, void** arguments);

/// A launch from a graph node's parameters, and the parameters of a launch; these point into it.
cudaError_t launchOf(const cudaKernelNodeParams* parameters, std::shared_ptr<const Launch>& launch);
cudaKernelNodeParams parametersOf(const Launch& launch);

/// Runs the blocks and returns when all have ended. A kernel that throws loses the device.
void runLaunch(const Launch& launch, int device);

}  // namespace fakecuda
