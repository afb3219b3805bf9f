// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/folding.h"
#include "kernels/cuda/kernels.h"
#include "kernels/cuda/scaling.h"
#include "src/exec/cuda/device/gpu_space.cuh"

namespace atl::kernels::device {

using atl::device::Block;
using atl::device::GpuSpace;
using atl::device::Launch;
using atl::device::Signals;

// One block a lane, resident by itself on its multiprocessor: the second bound lets it use the registers that there
// are. Kernels have C names, by which tests find them.
#define ATOLL_WALK_KERNEL(type)                                                                                     \
  extern "C" __global__ void __launch_bounds__(kWalkThreads, 1)                                                     \
      atollWalk_##type(const __grid_constant__ Launch launch, const Signals* signals) {                             \
    __shared__ alignas(16) unsigned char storage[sizeof(Block<GpuSpace>)];                                          \
    GpuSpace space(signals);                                                                                        \
    walkAll<Folding<DataType::type>>(space, *reinterpret_cast<Block<GpuSpace>*>(storage), launch,                   \
                                     static_cast<std::int32_t>(blockIdx.y), static_cast<std::int32_t>(blockIdx.x)); \
  }
ATOLL_WALK_KERNEL(int8)
ATOLL_WALK_KERNEL(uint8)
ATOLL_WALK_KERNEL(int32)
ATOLL_WALK_KERNEL(uint32)
ATOLL_WALK_KERNEL(int64)
ATOLL_WALK_KERNEL(uint64)
ATOLL_WALK_KERNEL(float16)
ATOLL_WALK_KERNEL(float32)
ATOLL_WALK_KERNEL(float64)
ATOLL_WALK_KERNEL(bfloat16)
ATOLL_WALK_KERNEL(float8e4m3)
ATOLL_WALK_KERNEL(float8e5m2)
#undef ATOLL_WALK_KERNEL

extern "C" __global__ void __launch_bounds__(kScaleThreads) atollScale(const Scaling scaling) {
  scale(scaling, blockIdx.x * blockDim.x + threadIdx.x, gridDim.x * blockDim.x);
}

const void* walkKernel(DataType type) {
  using Kernel = void (*)(Launch, const Signals*);
  // By DataType.
  static constexpr Kernel kKernels[kDataTypes] = {atollWalk_int8,     atollWalk_uint8,      atollWalk_int32,
                                                  atollWalk_uint32,   atollWalk_int64,      atollWalk_uint64,
                                                  atollWalk_float16,  atollWalk_float32,    atollWalk_float64,
                                                  atollWalk_bfloat16, atollWalk_float8e4m3, atollWalk_float8e5m2};
  return reinterpret_cast<const void*>(kKernels[static_cast<int>(type)]);
}

const void* scaleKernel() {
  return reinterpret_cast<const void*>(&atollScale);
}

}  // namespace atl::kernels::device
