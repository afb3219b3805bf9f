// SPDX-License-Identifier: Apache-2.0
// gpu_check [--quick]: results, and without --quick times, of ranks as threads on the GPUs of this machine. Ends with 0
// if everything is right, 1 if not, and 77 where there is no GPU.
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <iostream>
#include <string_view>

#include "bench/gpu/correctness.h"
#include "bench/gpu/rank_team.h"
#include "bench/gpu/timing.h"

int main(int argc, char** argv) {
  const bool quick = argc == 2 && std::string_view(argv[1]) == "--quick";
  if (argc > 2 || (argc == 2 && !quick)) {
    std::cerr << "usage: gpu_check [--quick]\n";
    return 2;
  }
  int devices = 0;
  const cudaError_t error = cudaGetDeviceCount(&devices);
  if (error != cudaSuccess || devices == 0) {
    constexpr int kSkipped = 77;
    std::cout << fmt::format("skipped: no GPU ({})\n",
                             error == cudaSuccess ? "none is visible" : cudaGetErrorString(error));
    return kSkipped;
  }
  for (int device = 0; device < devices; ++device) {
    cudaDeviceProp properties{};
    gpucheck::need(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    std::cout << fmt::format("device {}: {}, {} multiprocessors\n", device, properties.name,
                             properties.multiProcessorCount);
  }
  const int wrong = gpucheck::checkResults(devices, quick);
  if (!quick && wrong == 0) gpucheck::printTimes(devices);
  std::cout << fmt::format("\n{}\n", wrong == 0 ? "everything is right" : fmt::format("{} results are WRONG", wrong));
  return wrong == 0 ? 0 : 1;
}
