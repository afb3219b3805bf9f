// SPDX-License-Identifier: Apache-2.0
// One rank of a job of processes: worker RANK RANKS FILE. Sums and gathers between devices, twice each, and ends with 0
// if every element is right.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "atoll/atoll.h"
#include "tests/cuda/fake_kernels.h"
#include "tests/fakecuda/fakecuda.h"

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "worker: %s\n", what.c_str());
  std::exit(1);
}
void need(cudaError_t error) {
  if (error != cudaSuccess) fail(cudaGetErrorString(error));
}
void need(atollResult_t result) {
  if (result != atollSuccess) fail(atollGetLastError(nullptr));
}

void expect(const std::vector<int>& got, int want, const char* what) {
  for (const int value : got) {
    if (value != want) fail(std::string(what) + ": " + std::to_string(value) + ", not " + std::to_string(want));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) fail("arguments: RANK RANKS FILE");
  const int rank = std::atoi(argv[1]);
  const int ranks = std::atoi(argv[2]);
  atl::test::registerKernels();
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.device = rank % 2;
  config.timeout = 20;
  atollComm_t comm = nullptr;
  need(atollCommInitFile(&comm, ranks, rank, argv[3], &config));
  need(cudaSetDevice(config.device));
  cudaStream_t stream = nullptr;
  need(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  auto* const atolls = reinterpret_cast<atollStream_t>(stream);
  for (const std::size_t count : {std::size_t{100}, std::size_t{100'000}}) {
    const std::size_t all = count * static_cast<std::size_t>(ranks);
    void* send = nullptr;
    void* recv = nullptr;
    need(cudaMalloc(&send, count * sizeof(int)));
    need(cudaMalloc(&recv, all * sizeof(int)));
    const std::vector<int> mine(count, rank + 1);
    need(cudaMemcpy(send, mine.data(), count * sizeof(int), cudaMemcpyHostToDevice));
    for (int i = 0; i < 2; ++i) {
      need(atollAllReduce(send, recv, count, atollInt, atollSum, comm, atolls));
      need(cudaStreamSynchronize(stream));
      std::vector<int> got(count);
      need(cudaMemcpy(got.data(), recv, count * sizeof(int), cudaMemcpyDeviceToHost));
      expect(got, ranks * (ranks + 1) / 2, "sum");
      need(atollAllGather(send, recv, count, atollInt, comm, atolls));
      need(cudaStreamSynchronize(stream));
      for (int from = 0; from < ranks; ++from) {
        need(cudaMemcpy(got.data(), static_cast<int*>(recv) + static_cast<std::size_t>(from) * count,
                        count * sizeof(int), cudaMemcpyDeviceToHost));
        expect(got, from + 1, "gathered");
      }
    }
    need(cudaFree(send));
    need(cudaFree(recv));
  }
  need(atollCommDestroy(comm));
  need(cudaStreamDestroy(stream));
  if (!(fakecuda::liveObjects() == fakecuda::LiveObjects{})) fail("something is left");
  return 0;
}
