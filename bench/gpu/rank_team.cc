// SPDX-License-Identifier: Apache-2.0
#include "bench/gpu/rank_team.h"

#include <cstdlib>
#include <iostream>
#include <thread>

namespace gpucheck {

void need(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  std::cerr << call << ": " << cudaGetErrorString(error) << std::endl;
  std::_Exit(1);  // other threads may wait on the device
}

void need(atollResult_t result, const char* call) {
  if (result == atollSuccess) return;
  std::cerr << call << ": " << atollGetLastError(nullptr) << std::endl;
  std::_Exit(1);
}

void Rank::finish() const {
  need(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
  atollResult_t state = atollSuccess;
  need(atollCommGetAsyncError(comm, &state), "atollCommGetAsyncError");
  if (state == atollSuccess) return;
  std::cerr << "rank " << rank << ": " << atollGetLastError(comm) << std::endl;
  std::_Exit(1);
}

void onRanks(int ranks, int devices, const std::function<void(const Rank&)>& body) {
  atollUniqueId id;
  need(atollGetUniqueId(&id), "atollGetUniqueId");
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r) {
    threads.emplace_back([&, r] {
      Rank rank;
      rank.rank = r;
      rank.ranks = ranks;
      rank.device = r % devices;
      need(cudaSetDevice(rank.device), "cudaSetDevice");
      need(cudaStreamCreateWithFlags(&rank.stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
      atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
      config.device = rank.device;
      constexpr double kSeconds = 30;
      config.timeout = kSeconds;
      need(atollCommInitRankConfig(&rank.comm, ranks, id, r, &config), "atollCommInitRankConfig");
      body(rank);
      rank.finish();
      need(atollCommDestroy(rank.comm), "atollCommDestroy");
      need(cudaStreamDestroy(rank.stream), "cudaStreamDestroy");
    });
  }
  for (auto& thread : threads) thread.join();
}

Buffer::Buffer(std::size_t bytes) {
  need(cudaMalloc(&data_, bytes), "cudaMalloc");
}

}  // namespace gpucheck
