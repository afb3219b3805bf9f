// SPDX-License-Identifier: Apache-2.0
// The CUDA runtime as Atoll uses it: errors with their call, memory that frees itself, and the thread's state put back.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string_view>
#include <utility>

#include "src/base/result.h"

namespace atl::cuda {

/// Success, or "cudaMalloc: out of memory (cudaErrorMemoryAllocation)". Forgets what the runtime keeps of the error.
Status checked(cudaError_t error, std::string_view call);

/// Number of devices of this process. An error says why there is none: no driver, one that is too old, none visible.
Result<int> deviceCount();

/// While it lives: calls of this thread are for a device, and are allowed while the user captures a graph. What was
/// before is put back.
class OnDevice {
 public:
  static Result<OnDevice> of(int device);
  OnDevice(OnDevice&& other) noexcept : before_(std::exchange(other.before_, -1)), mode_(other.mode_) {}
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  OnDevice& operator=(OnDevice&&) = delete;
  ~OnDevice();

 private:
  OnDevice(int before, cudaStreamCaptureMode mode) : before_(before), mode_(mode) {}
  int before_;  ///< −1: nothing is to be put back
  cudaStreamCaptureMode mode_;
};

/// For threads of Atoll's own: from now on their calls are for the device, and allowed while the user captures a graph.
/// Nothing is put back, for to go back to a device that the process does not use would set that one up.
Status settleOn(int device);

/// Memory that the owner gives back: a device's, or pinned memory of the host's that devices reach at the same address.
class Memory {
 public:
  enum class Place { device, pinned };
  Memory() = default;
  /// On the device of the thread's.
  static Result<Memory> allocate(Place place, std::size_t bytes);
  Memory(Memory&& other) noexcept { *this = std::move(other); }
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(place_, other.place_);
    return *this;
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory();

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  Place place_ = Place::device;
};

/// A stream of Atoll's own, which waits for no other: for what is prepared while collectives run.
class Stream {
 public:
  static Result<Stream> create();
  Stream(Stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  Stream& operator=(Stream&& other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  /// Returns when it is done. Streams of the user's are not waited for.
  Status copy(void* to, const void* from, std::size_t bytes);
  Status clear(void* data, std::size_t bytes);
  /// What was queued on it is done when this returns.
  Status finish();

  [[nodiscard]] cudaStream_t get() const { return stream_; }

 private:
  explicit Stream(cudaStream_t stream) : stream_(stream) {}
  cudaStream_t stream_;
};

}  // namespace atl::cuda
