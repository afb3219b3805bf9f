// SPDX-License-Identifier: Apache-2.0
// Memory of devices, and its registration.
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "integrations/nccl/results.h"

using namespace atl::nccl;  // NOLINT(google-build-using-namespace): the C functions are outside

namespace {

ncclResult_t told(const char* call, cudaError_t error) {
  if (error == cudaSuccess) return ncclSuccess;
  cudaGetLastError();
  return refused(ncclUnhandledCudaError, fmt::format("{}: {}", call, cudaGetErrorString(error)));
}

}  // namespace

ATOLL_NCCL_API ncclResult_t pncclMemAlloc(void** ptr, std::size_t size) {
  if (ptr == nullptr) return refused(ncclInvalidArgument, "argument ptr is NULL");
  *ptr = nullptr;
  return size == 0 ? ncclSuccess : told("cudaMalloc", cudaMalloc(ptr, size));
}
ATOLL_NCCL_TWIN(MemAlloc);

ATOLL_NCCL_API ncclResult_t pncclMemFree(void* ptr) {
  return told("cudaFree", cudaFree(ptr));
}
ATOLL_NCCL_TWIN(MemFree);

ATOLL_NCCL_API ncclResult_t pncclCommRegister(const ncclComm_t comm, void* buff, std::size_t size, void** handle) {
  return resultOf(atollCommRegister(atollsOf(comm), buff, size, handle));
}
ATOLL_NCCL_TWIN(CommRegister);

ATOLL_NCCL_API ncclResult_t pncclCommDeregister(const ncclComm_t comm, void* handle) {
  return resultOf(atollCommDeregister(atollsOf(comm), handle));
}
ATOLL_NCCL_TWIN(CommDeregister);

// To its users a window is memory that is registered on all ranks.
ATOLL_NCCL_API ncclResult_t pncclCommWindowRegister(ncclComm_t comm, void* buff, std::size_t size, ncclWindow_t* window,
                                                    int /*flags*/) {
  return resultOf(atollCommRegister(atollsOf(comm), buff, size, reinterpret_cast<void**>(window)));
}
ATOLL_NCCL_TWIN(CommWindowRegister);

ATOLL_NCCL_API ncclResult_t pncclCommWindowDeregister(ncclComm_t comm, ncclWindow_t window) {
  return resultOf(atollCommDeregister(atollsOf(comm), window));
}
ATOLL_NCCL_TWIN(CommWindowDeregister);
