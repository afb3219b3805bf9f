// SPDX-License-Identifier: Apache-2.0
// Ranks as threads of this process, dealt out over the devices at hand.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <string>
#include <vector>

#include "atoll/atoll.h"

namespace gpucheck {

/// Ends the program with the call and its reason where it failed.
void need(cudaError_t error, const char* call);
void need(atollResult_t result, const char* call);

/// What a rank's thread works with; its device is the thread's.
struct Rank {
  int rank = 0;
  int ranks = 0;
  int device = 0;
  atollComm_t comm = nullptr;
  cudaStream_t stream = nullptr;

  [[nodiscard]] atollStream_t atolls() const { return reinterpret_cast<atollStream_t>(stream); }
  /// Waits for the stream; ends the program if the communicator has failed.
  void finish() const;
};

/// Runs `body` for every rank of a communicator of so many, each in a thread of its own.
void onRanks(int ranks, int devices, const std::function<void(const Rank&)>& body);

/// Memory of the thread's device.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes);
  ~Buffer() { cudaFree(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  [[nodiscard]] void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

}  // namespace gpucheck
