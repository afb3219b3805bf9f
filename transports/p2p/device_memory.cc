// SPDX-License-Identifier: Apache-2.0
#include "transports/p2p/device_memory.h"

#include <cuda_runtime_api.h>

#include <cstring>

#include "src/cuda/runtime.h"

namespace atl::p2p {
namespace {

using cuda::checked;

static_assert(sizeof(cudaIpcMemHandle_t) == sizeof(Exported::handle));

Result<std::array<char, 16>> uuidOf(int device) {
  cudaDeviceProp properties{};
  ATOLL_TRY(checked(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties"));
  std::array<char, 16> uuid{};
  std::memcpy(uuid.data(), properties.uuid.bytes, uuid.size());
  return uuid;
}

/// This thread's device is `from`.
Status enableAccess(int from, int to) {
  int can = 0;
  ATOLL_TRY(checked(cudaDeviceCanAccessPeer(&can, from, to), "cudaDeviceCanAccessPeer"));
  if (can == 0) {
    return makeError(ErrorCode::unsupported, "devices {} and {} have no peer access to each other", from, to);
  }
  const cudaError_t enabled = cudaDeviceEnablePeerAccess(to, 0);
  if (enabled != cudaErrorPeerAccessAlreadyEnabled) return checked(enabled, "cudaDeviceEnablePeerAccess");
  cudaGetLastError();
  return success();
}

}  // namespace

Result<Exported> exportMemory(const std::byte* allocation, int device, std::uint64_t process, std::uint64_t host) {
  Exported exported;
  exported.process = process;
  exported.host = host;
  exported.device = device;
  exported.address = reinterpret_cast<std::uintptr_t>(allocation);
  ATOLL_ASSIGN(exported.uuid, uuidOf(device));
  cudaIpcMemHandle_t handle{};
  // Where there is no IPC, as in some containers, ranks of one process still reach each other.
  if (checked(cudaIpcGetMemHandle(&handle, const_cast<std::byte*>(allocation)), "cudaIpcGetMemHandle").ok()) {
    exported.exported = 1;
    std::memcpy(exported.handle.data(), &handle, sizeof handle);
  }
  return exported;
}

Imports::~Imports() {
  for (const auto& [handle, address] : opened_) cudaIpcCloseMemHandle(address);
}

Result<std::byte*> Imports::reach(const Exported& memory) {
  if (memory.process == process_) {
    if (memory.device != device_) ATOLL_TRY(enableAccess(device_, memory.device));
    return reinterpret_cast<std::byte*>(memory.address);  // NOLINT(performance-no-int-to-ptr): this process's own
  }
  if (memory.host != host_) {
    return makeError(ErrorCode::unsupported, "devices of different hosts have no link to each other yet");
  }
  if (memory.exported == 0) {
    return makeError(ErrorCode::unsupported, "the peer's memory cannot be exported (cudaIpcGetMemHandle failed there)");
  }
  auto& opened = opened_[memory.handle];
  if (opened == nullptr) {
    cudaIpcMemHandle_t handle{};
    std::memcpy(&handle, memory.handle.data(), sizeof handle);
    if (Status status =
            checked(cudaIpcOpenMemHandle(&opened, handle, cudaIpcMemLazyEnablePeerAccess), "cudaIpcOpenMemHandle");
        !status.ok()) {
      opened_.erase(memory.handle);
      return std::move(status).error();
    }
  }
  return static_cast<std::byte*>(opened);
}

}  // namespace atl::p2p
