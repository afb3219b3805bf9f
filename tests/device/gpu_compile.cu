// SPDX-License-Identifier: Apache-2.0
// The device code as a kernel, for the compiler's sake: what it says of registers and spills is a test (spills.py).
#include "src/exec/cuda/device/gpu_space.cuh"
#include "src/exec/cuda/device/walk.h"

namespace atl::device {
namespace {

struct FloatSum {
  struct Sum {
    float at[4];
  };
  __device__ void begin(Sum& sum, const Quad& quad) const {
    for (int i = 0; i < 4; ++i) sum.at[i] = __uint_as_float(quad.words[i]);
  }
  __device__ void add(Sum& sum, const Quad& quad) const {
    for (int i = 0; i < 4; ++i) sum.at[i] += __uint_as_float(quad.words[i]);
  }
  __device__ Quad end(const Sum& sum, bool) const {
    Quad quad;
    for (int i = 0; i < 4; ++i) quad.words[i] = __float_as_uint(sum.at[i]);
    return quad;
  }
};

}  // namespace

// One block a lane, resident by itself on its multiprocessor: the second bound lets it use the registers that there
// are.
__global__ __launch_bounds__(512, 1) void walkFloatSum(const Run run, const Signals* signals) {
  __shared__ alignas(16) unsigned char storage[sizeof(Shared)];
  GpuSpace space(*reinterpret_cast<Shared*>(storage), signals);
  walk(space, run, static_cast<std::int32_t>(blockIdx.x), FloatSum{});
}

}  // namespace atl::device
