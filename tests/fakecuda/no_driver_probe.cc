// SPDX-License-Identifier: Apache-2.0
// Linked to the CUDA runtime proper: prints what calls return on this machine, so that the fake without a driver can be
// held against it.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <type_traits>

namespace {

void kernel() {}

template <class Value>
long long numberOf(const Value& value) {
  if constexpr (std::is_pointer_v<Value>) {
    return reinterpret_cast<long long>(value);
  } else {
    return value;
  }
}

/// Outputs are references, for they are read after the call.
template <class... Values>
void show(const char* name, cudaError_t result, const Values&... outputs) {
  std::printf("%s %d", name, static_cast<int>(result));
  (std::printf(" %lld", numberOf(outputs)), ...);
  std::printf("\n");
}

}  // namespace

int main() {
  int version = -7;
  int driver = -7;
  int number = -7;
  int value = -7;
  auto address = reinterpret_cast<void*>(7);
  auto stream = reinterpret_cast<cudaStream_t>(7);
  auto event = reinterpret_cast<cudaEvent_t>(7);
  auto graph = reinterpret_cast<cudaGraph_t>(7);
  show("cudaDriverGetVersion", cudaDriverGetVersion(&driver), driver);
  show("cudaRuntimeGetVersion", cudaRuntimeGetVersion(&version), version);
  show("cudaGetLastError", cudaGetLastError());
  show("cudaGetDeviceCount", cudaGetDeviceCount(&number), number);
  show("cudaGetLastError", cudaGetLastError());
  show("cudaGetDevice", cudaGetDevice(&number), number);
  show("cudaSetDevice", cudaSetDevice(0));
  show("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&value, cudaDevAttrWarpSize, 0), value);
  show("cudaDeviceCanAccessPeer", cudaDeviceCanAccessPeer(&value, 0, 1), value);
  show("cudaMalloc", cudaMalloc(&address, 16), address);
  show("cudaFree", cudaFree(nullptr));
  show("cudaHostAlloc", cudaHostAlloc(&address, 16, 0), address);
  show("cudaStreamCreate", cudaStreamCreate(&stream), stream);
  show("cudaStreamSynchronize", cudaStreamSynchronize(nullptr));
  show("cudaEventCreate", cudaEventCreate(&event), event);
  show("cudaGraphCreate", cudaGraphCreate(&graph, 0), graph);
  show("cudaDeviceSynchronize", cudaDeviceSynchronize());
  if (driver == 0) {  // elsewhere the kernel would have to exist
    show("cudaLaunchKernel",
         cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(1), dim3(1), nullptr, 0, nullptr));
  }
  show("cudaGetDriverEntryPointByVersion",
       cudaGetDriverEntryPointByVersion("cuInit", &address, 12000, cudaEnableDefault, nullptr), address);
  show("cudaPeekAtLastError", cudaPeekAtLastError());
  std::printf("%s\n", cudaGetErrorName(cudaErrorInsufficientDriver));
  return 0;
}
