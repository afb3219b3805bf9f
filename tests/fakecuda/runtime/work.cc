// SPDX-License-Identifier: Apache-2.0
#include "tests/fakecuda/runtime/work.h"

#include <cstring>
#include <iterator>

#include "tests/fakecuda/runtime/calls.h"
#include "tests/fakecuda/runtime/devices.h"
#include "tests/fakecuda/runtime/kernels.h"

namespace fakecuda {
namespace {

void fillRows(const cudaMemsetParams& it) {
  for (std::size_t row = 0; row < it.height; ++row) {
    char* const begin = static_cast<char*>(it.dst) + row * it.pitch;
    if (it.elementSize == 1) {
      std::memset(begin, static_cast<int>(it.value), it.width);
      continue;
    }
    for (std::size_t element = 0; element < it.width; ++element) {
      std::memcpy(begin + element * it.elementSize, &it.value, it.elementSize);
    }
  }
}

}  // namespace

cudaGraphNodeType nodeType(const Work& work) {
  constexpr cudaGraphNodeType types[] = {
      cudaGraphNodeTypeEmpty,  cudaGraphNodeTypeMemcpy,      cudaGraphNodeTypeMemset,    cudaGraphNodeTypeHost,
      cudaGraphNodeTypeKernel, cudaGraphNodeTypeEventRecord, cudaGraphNodeTypeWaitEvent, cudaGraphNodeTypeGraph};
  static_assert(std::size(types) == std::variant_size_v<Work>);
  return types[work.index()];
}

void perform(const Work& work, int device) {
  if (deviceError(device) != cudaSuccess) return;
  if (const auto* copied = std::get_if<CopyWork>(&work)) {
    if (!storesArrive(device, copied->to)) return;
    std::memmove(copied->to, copied->staged != nullptr ? copied->staged->data() : copied->from, copied->bytes);
  } else if (const auto* filled = std::get_if<FillWork>(&work)) {
    fillRows(filled->parameters);
  } else if (const auto* host = std::get_if<HostWork>(&work)) {
    const InsideCallback inside;
    host->parameters.fn(host->parameters.userData);
  } else if (const auto* kernel = std::get_if<KernelWork>(&work)) {
    runLaunch(*kernel->launch, device);
  }
}

}  // namespace fakecuda
