// SPDX-License-Identifier: Apache-2.0
#include "src/cuda/runtime.h"

namespace atl::cuda {

Status checked(cudaError_t error, std::string_view call) {
  if (error == cudaSuccess) return success();
  cudaGetLastError();  // an error that is told once should not be found by the user's next check
  return makeError(error == cudaErrorMemoryAllocation ? ErrorCode::systemError : ErrorCode::deviceError, "{}: {} ({})",
                   call, cudaGetErrorString(error), cudaGetErrorName(error));
}

Result<int> deviceCount() {
  int driver = 0;
  ATOLL_TRY(checked(cudaDriverGetVersion(&driver), "cudaDriverGetVersion"));
  if (driver == 0) return makeError(ErrorCode::unsupported, "this machine has no CUDA driver");
  int count = 0;
  ATOLL_TRY(checked(cudaGetDeviceCount(&count), "cudaGetDeviceCount"));
  return count;
}

Result<OnDevice> OnDevice::of(int device) {
  int before = 0;
  ATOLL_TRY(checked(cudaGetDevice(&before), "cudaGetDevice"));
  if (before != device) ATOLL_TRY(checked(cudaSetDevice(device), "cudaSetDevice"));
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  if (Status status = checked(cudaThreadExchangeStreamCaptureMode(&mode), "cudaThreadExchangeStreamCaptureMode");
      !status.ok()) {
    cudaSetDevice(before);
    return std::move(status).error();
  }
  return OnDevice(before, mode);
}

OnDevice::~OnDevice() {
  if (before_ < 0) return;
  cudaThreadExchangeStreamCaptureMode(&mode_);
  cudaSetDevice(before_);
}

Status settleOn(int device) {
  ATOLL_TRY(checked(cudaSetDevice(device), "cudaSetDevice"));
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  return checked(cudaThreadExchangeStreamCaptureMode(&mode), "cudaThreadExchangeStreamCaptureMode");
}

Result<Memory> Memory::allocate(Place place, std::size_t bytes) {
  void* data = nullptr;
  if (place == Place::device) {
    ATOLL_TRY(checked(cudaMalloc(&data, bytes), "cudaMalloc"));
  } else {
    ATOLL_TRY(checked(cudaHostAlloc(&data, bytes, cudaHostAllocPortable | cudaHostAllocMapped), "cudaHostAlloc"));
  }
  Memory memory;
  memory.data_ = static_cast<std::byte*>(data);
  memory.bytes_ = bytes;
  memory.place_ = place;
  return memory;
}

// Errors on the way out have nobody to go to: a device that is lost takes its memory along.
Memory::~Memory() {
  if (data_ == nullptr) return;
  place_ == Place::device ? cudaFree(data_) : cudaFreeHost(data_);
}

Result<Stream> Stream::create() {
  cudaStream_t stream = nullptr;
  ATOLL_TRY(checked(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags"));
  return Stream(stream);
}

Stream::~Stream() {
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

Status Stream::copy(void* to, const void* from, std::size_t bytes) {
  ATOLL_TRY(checked(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "cudaMemcpyAsync"));
  return finish();
}

Status Stream::clear(void* data, std::size_t bytes) {
  ATOLL_TRY(checked(cudaMemsetAsync(data, 0, bytes, stream_), "cudaMemsetAsync"));
  return finish();
}

Status Stream::finish() {
  return checked(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

}  // namespace atl::cuda
