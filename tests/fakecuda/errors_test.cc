// SPDX-License-Identifier: Apache-2.0
// Machines that are not as they should be, and calls that fail when they are told to.
#include <array>

#include "tests/fakecuda/fixture.h"

namespace fakecuda {
namespace {

using ::testing::IsEmpty;

class Errors : public FakeCuda {};

TEST_F(Errors, Last_IsTheThreadsAndForgottenWhenRead) {
  void* pointer = nullptr;
  EXPECT_CUDA(cudaErrorInvalidValue, cudaMalloc(nullptr, 1));
  std::thread([] { EXPECT_CUDA(cudaSuccess, cudaGetLastError()); }).join();
  EXPECT_CUDA(cudaSuccess, cudaMalloc(&pointer, 1));
  EXPECT_CUDA(cudaSuccess, cudaFree(pointer));
  EXPECT_CUDA(cudaErrorInvalidValue, cudaPeekAtLastError());
  EXPECT_CUDA(cudaErrorInvalidValue, cudaGetLastError());
  EXPECT_CUDA(cudaSuccess, cudaGetLastError());
}

TEST_F(Errors, Names_AreCudas) {
  EXPECT_STREQ(cudaGetErrorName(cudaErrorStreamCaptureWrongThread), "cudaErrorStreamCaptureWrongThread");
  EXPECT_STREQ(cudaGetErrorString(cudaSuccess), "no error");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorTimeout), "cudaErrorTimeout");
  EXPECT_STREQ(cudaGetErrorName(static_cast<cudaError_t>(1000)), "unrecognized error code");
}

TEST_F(Errors, DriverThatIsMissingOrTooOld_FailsEveryCallAndTouchesNothing) {
  for (const int version : {0, 12080}) {
    resetWith([&](Configuration& machine) { machine.driverVersion = version; });
    int found = -1;
    int count = -1;
    int device = -1;
    void* pointer = &found;
    cudaStream_t stream = cudaStreamPerThread;
    EXPECT_CUDA(cudaSuccess, cudaDriverGetVersion(&found));
    EXPECT_EQ(found, version);
    EXPECT_CUDA(cudaSuccess, cudaRuntimeGetVersion(&found));
    EXPECT_EQ(found, CUDART_VERSION);
    EXPECT_CUDA(cudaErrorInsufficientDriver, cudaGetDeviceCount(&count));
    EXPECT_CUDA(cudaErrorInsufficientDriver, cudaGetDevice(&device));
    EXPECT_CUDA(cudaErrorInsufficientDriver, cudaMalloc(&pointer, 16));
    EXPECT_CUDA(cudaErrorInsufficientDriver, cudaStreamCreate(&stream));
    EXPECT_EQ(count, -1);
    EXPECT_EQ(device, -1);
    EXPECT_EQ(pointer, &found);
    EXPECT_EQ(stream, cudaStreamPerThread);
    EXPECT_CUDA(cudaErrorInsufficientDriver, cudaGetLastError());
  }
}

TEST_F(Errors, OneCallOfMany_CanBeToldToFail) {
  std::array<void*, 3> pointers{};
  failCall("cudaMalloc", 2, cudaErrorMemoryAllocation);
  EXPECT_CUDA(cudaSuccess, cudaMalloc(&pointers[0], 16));
  EXPECT_CUDA(cudaErrorMemoryAllocation, cudaMalloc(&pointers[1], 16));
  EXPECT_CUDA(cudaSuccess, cudaMalloc(&pointers[2], 16));
  EXPECT_EQ(pointers[1], nullptr);
  EXPECT_EQ(callCount("cudaMalloc"), 3);
  for (void* pointer : pointers) EXPECT_CUDA(cudaSuccess, cudaFree(pointer));
}

TEST_F(Errors, CallsToldByTheConfiguration_Fail) {
  resetWith([](Configuration& machine) { machine.fail = "cudaEventCreate:1:46,cudaStreamCreate:2:2"; });
  cudaEvent_t event = nullptr;
  cudaStream_t streams[2] = {};
  EXPECT_CUDA(cudaErrorDevicesUnavailable, cudaEventCreate(&event));
  EXPECT_CUDA(cudaSuccess, cudaStreamCreate(&streams[0]));
  EXPECT_CUDA(cudaErrorMemoryAllocation, cudaStreamCreate(&streams[1]));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(streams[0]));
}

TEST_F(Errors, LostDevice_FailsForGoodAndItsWorkIsDropped) {
  const cudaStream_t stream = makeStream();
  Diary diary;
  Gate gate(stream);
  diary.note(stream, 1);
  gate.awaitArrival();
  loseDevice(0, cudaErrorUnknown);
  gate.open();
  void* pointer = nullptr;
  EXPECT_CUDA(cudaErrorUnknown, cudaStreamSynchronize(stream));
  EXPECT_CUDA(cudaErrorUnknown, cudaMalloc(&pointer, 16));
  EXPECT_CUDA(cudaErrorUnknown, cudaGetLastError());
  EXPECT_CUDA(cudaErrorUnknown, cudaGetLastError());
  ASSERT_CUDA(cudaSetDevice(1));
  EXPECT_CUDA(cudaErrorUnknown, cudaStreamSynchronize(stream));  // from a device that is well, so that it waits
  EXPECT_THAT(diary.entries, IsEmpty());
  EXPECT_CUDA(cudaSuccess, cudaMalloc(&pointer, 16));
  EXPECT_CUDA(cudaSuccess, cudaFree(pointer));
  EXPECT_CUDA(cudaSuccess, cudaStreamDestroy(stream));
  EXPECT_CUDA(cudaErrorUnknown, cudaSetDevice(0));
}

TEST_F(Errors, InjectedErrorThatCudaKeeps_LosesTheDevice) {
  failCall("cudaStreamSynchronize", 1, cudaErrorLaunchFailure);
  EXPECT_CUDA(cudaErrorLaunchFailure, cudaStreamSynchronize(nullptr));
  EXPECT_CUDA(cudaErrorLaunchFailure, cudaDeviceSynchronize());
}

}  // namespace
}  // namespace fakecuda
