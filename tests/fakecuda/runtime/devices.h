// SPDX-License-Identifier: Apache-2.0
// Devices: which there are, which one a thread works on, what they can do, and which may reach each other's memory. A
// device of the process is named by its visible number.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace fakecuda {

// What the devices resemble: compute capability 9.0.
inline constexpr int kThreadsPerMultiprocessor = 2048;
inline constexpr int kBlocksPerMultiprocessor = 32;
inline constexpr int kRegistersPerMultiprocessor = 65536;
inline constexpr int kThreadsPerBlock = 1024;
inline constexpr std::size_t kSharedPerMultiprocessor = 233472;
inline constexpr std::size_t kSharedPerBlock = 49152;
inline constexpr std::size_t kSharedPerBlockOptIn = 232448;
inline constexpr std::size_t kSharedReservedPerBlock = 1024;
inline constexpr int kPortableClusterBlocks = 8;
inline constexpr int kLeastPriority = 0;
inline constexpr int kGreatestPriority = -5;

int deviceCount();

/// The calling thread's device; 0 at first.
int currentDevice();

/// Why the device is of no use any more; cudaSuccess while it is. Numbers out of range are never lost.
cudaError_t deviceError(int device);

/// Has `device` enabled access to the memory of `peer`, or are they the same?
bool peerAccessEnabled(int device, int peer);

/// Can a process map memory of a device, by its number on the machine, for the use of one that it sees?
bool canReach(int device, int physicalPeer);

/// After a reset: nothing is lost, no peer access is enabled.
void forgetDevices();

}  // namespace fakecuda
