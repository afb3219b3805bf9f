// SPDX-License-Identifier: Apache-2.0
// NCCL's binary interface, as far as programs that were compiled with its header see it: types with the same layout,
// values with the same meaning, functions with the same names. A test holds it against NCCL's own header where that is
// installed.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>

#include "atoll/atoll.h"

extern "C" {

/// The version that is said to be implemented: programs ask for it before they use what came with one.
inline constexpr int kNcclVersion = 22809;

inline constexpr unsigned kNcclConfigMagic = 0xcafebeef;
inline constexpr unsigned kNcclSimInfoMagic = 0x74685283;
inline constexpr int kNcclUndefined = INT_MIN;

// Flags of ncclCommShrink.
inline constexpr int kNcclShrinkDefault = 0;
inline constexpr int kNcclShrinkAbort = 1;

using ncclComm_t = struct ncclComm*;
using ncclWindow_t = struct ncclWindow_vidmem*;
using cudaStream_t = struct CUstream_st*;

struct ncclUniqueId {
  char internal[ATOLL_UNIQUE_ID_BYTES];
};

enum ncclResult_t : int {
  ncclSuccess = 0,
  ncclUnhandledCudaError = 1,
  ncclSystemError = 2,
  ncclInternalError = 3,
  ncclInvalidArgument = 4,
  ncclInvalidUsage = 5,
  ncclRemoteError = 6,
  ncclInProgress = 7,
};

// Their values are Atoll's own.
using ncclDataType_t = int;
using ncclRedOp_t = int;
using ncclScalarResidence_t = int;

/// Read as far as its size says; what follows `commName` is of newer headers.
struct ncclConfig_t {
  std::size_t size;
  unsigned magic;
  unsigned version;
  int blocking;
  int cgaClusterSize;
  int minCTAs;
  int maxCTAs;
  const char* netName;
  int splitShare;
  int trafficClass;
  const char* commName;
  int collnetEnable;
  int CTAPolicy;
  int shrinkShare;
  int nvlsCTAs;
  int nChannelsPerNetPeer;
  int nvlinkCentricSched;
};

struct ncclSimInfo_t {
  std::size_t size;
  unsigned magic;
  unsigned version;
  float estimatedTime;
};

}  // extern "C"

/// Defines ncclNAME as the other, weak name of pncclNAME, which profilers put their own in front of.
#define ATOLL_NCCL_TWIN(name) \
  extern "C" __attribute__((weak, alias("pnccl" #name), visibility("default"))) decltype(pnccl##name) nccl##name

/// Of the strong one.
#define ATOLL_NCCL_API extern "C" __attribute__((visibility("default")))
