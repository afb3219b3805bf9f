// SPDX-License-Identifier: Apache-2.0
// Another process for the tests: it does what its first argument says, and talks to the test over its standard input, a
// socket.
#include <cuda.h>
#include <cuda_runtime_api.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace {

void kernelOfNobody() {}

void check(cudaError_t result) {
  if (result != cudaSuccess) _exit(1);
}

void check(CUresult result) {
  check(static_cast<cudaError_t>(result));
}

/// Sends bytes and, unless negative, a descriptor.
void send(const void* bytes, std::size_t count, int descriptor) {
  iovec part{const_cast<void*>(bytes), count};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
  }
  if (sendmsg(STDIN_FILENO, &message, 0) != static_cast<ssize_t>(count)) _exit(2);
}

void awaitWord() {
  char word = 0;
  if (read(STDIN_FILENO, &word, 1) != 1) _exit(3);
}

/// Shares device memory by an IPC handle; good if the test has changed what was there.
int shareByHandle(int device) {
  int* data = nullptr;
  int value = 41;
  cudaIpcMemHandle_t handle{};
  check(cudaSetDevice(device));
  check(cudaMalloc(reinterpret_cast<void**>(&data), 1000 * sizeof(int)));
  check(cudaMemcpy(data, &value, sizeof(value), cudaMemcpyHostToDevice));
  check(cudaIpcGetMemHandle(&handle, data));
  send(&handle, sizeof(handle), -1);
  awaitWord();
  check(cudaMemcpy(&value, data, sizeof(value), cudaMemcpyDeviceToHost));
  check(cudaFree(data));
  return value == 42 ? 0 : 4;
}

/// Gives the handle of memory that is gone; what lies there now must not be taken for it.
int shareWhatIsFreed() {
  void* data = nullptr;
  cudaIpcMemHandle_t handle{};
  check(cudaMalloc(&data, 4000));
  check(cudaIpcGetMemHandle(&handle, data));
  check(cudaFree(data));
  check(cudaMalloc(&data, 4000));
  send(&handle, sizeof(handle), -1);
  awaitWord();
  return 0;
}

template <class Function>
Function* driver(const char* name) {
  void* found = nullptr;
  check(cudaGetDriverEntryPointByVersion(name, &found, 12010, cudaEnableDefault, nullptr));
  return reinterpret_cast<Function*>(found);
}

/// The same by a file descriptor of memory without an address.
int shareByDescriptor() {
  constexpr std::size_t bytes = 2 << 20;
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  const CUmemAccessDesc access{properties.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  CUmemGenericAllocationHandle handle = 0;
  CUdeviceptr address = 0;
  int descriptor = -1;
  check(driver<decltype(cuMemCreate)>("cuMemCreate")(&handle, bytes, &properties, 0));
  check(driver<decltype(cuMemAddressReserve)>("cuMemAddressReserve")(&address, bytes, 0, 0, 0));
  check(driver<decltype(cuMemMap)>("cuMemMap")(address, bytes, 0, handle, 0));
  check(driver<decltype(cuMemSetAccess)>("cuMemSetAccess")(address, bytes, &access, 1));
  check(driver<decltype(cuMemExportToShareableHandle)>("cuMemExportToShareableHandle")(
      &descriptor, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
  *reinterpret_cast<int*>(address) = 41;
  send("d", 1, descriptor);
  awaitWord();
  return *reinterpret_cast<int*>(address) == 42 ? 0 : 4;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string task = argc > 1 ? argv[1] : "";
  if (task == "share") return shareByHandle(std::atoi(argv[2]));
  if (task == "share-freed") return shareWhatIsFreed();
  if (task == "share-descriptor") return shareByDescriptor();
  if (task == "launch-unknown") {
    cudaLaunchKernel(reinterpret_cast<const void*>(kernelOfNobody), dim3(1), dim3(1), nullptr, 0, nullptr);
    return 0;
  }
  return 5;
}
