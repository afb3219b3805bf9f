// SPDX-License-Identifier: Apache-2.0
#include "src/exec/cuda/peer_proof.h"

#include <array>
#include <cstring>

#include "kernels/cuda/kernels.h"
#include "src/base/hash.h"

namespace atl::cuda {
namespace {

using Pattern = std::array<std::uint64_t, kProofBytes / sizeof(std::uint64_t)>;

/// No word is zero, which is what lies there before.
Pattern patternOf(std::uint64_t number) {
  Pattern pattern;
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = hashCombine(number, i) | 1;
  return pattern;
}

}  // namespace

// The scaling kernel copies when it scales by one.
Status writeProof(std::byte* to, std::byte* way, std::uint64_t number, Stream& stream) {
  const Pattern pattern = patternOf(number);
  ATOLL_TRY(stream.copy(way, pattern.data(), kProofBytes));
  kernels::device::Scaling copying;
  copying.to = to;
  copying.from = way;
  copying.type = DataType::uint64;
  copying.count = pattern.size();
  const std::uint64_t one = 1;
  std::memcpy(copying.value, &one, sizeof one);
  void* arguments[] = {&copying};
  ATOLL_TRY(checked(cudaLaunchKernel(kernels::device::scaleKernel(), dim3(1), dim3(kernels::device::kScaleThreads),
                                     arguments, 0, stream.get()),
                    "cudaLaunchKernel"));
  return stream.finish();
}

Status checkProof(const std::byte* at, std::uint64_t number, Stream& stream) {
  Pattern got{};
  ATOLL_TRY(stream.copy(got.data(), at, kProofBytes));
  const Pattern wanted = patternOf(number);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) wrong += got[i] == wanted[i] ? 0 : sizeof wanted[i];
  if (wrong == 0) return success();
  return makeError(ErrorCode::deviceError,
                   "of {} bytes that the peer's device stored here by peer access, {} are wrong, and nothing said so: "
                   "an IOMMU or PCIe ACS stands between the devices. Switch ACS off in the PCIe bridges and the IOMMU "
                   "to pass-through (iommu=pt), or off; with ATOLL_CUDA_P2P=off all goes by the host's memory",
                   kProofBytes, wrong);
}

}  // namespace atl::cuda
