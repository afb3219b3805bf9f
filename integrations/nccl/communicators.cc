// SPDX-License-Identifier: Apache-2.0
// Making, asking and ending communicators. A rank works on the device that its thread has when it joins.
#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "integrations/nccl/environment.h"
#include "integrations/nccl/results.h"

namespace atl::nccl {
namespace {

ncclResult_t currentDevice(int& device) {
  const cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) return ncclSuccess;
  cudaGetLastError();
  return refused(ncclUnhandledCudaError, fmt::format("cudaGetDevice: {}", cudaGetErrorString(error)));
}

/// NCCL's configuration (or none) as Atoll's. What steers NCCL's own channels and networks has no meaning here.
ncclResult_t configured(const ncclConfig_t* given, int device, atollConfig_t& config) {
  nameIgnored();
  config = ATOLL_CONFIG_INITIALIZER;
  config.device = device;
  config.interfaces = interfaces();
  if (given == nullptr) return ncclSuccess;
  std::size_t size = 0;
  std::memcpy(&size, &given->size, sizeof size);
  if (size < offsetof(ncclConfig_t, blocking) || given->magic != kNcclConfigMagic) {
    return refused(ncclInvalidArgument, "argument config was not initialised with NCCL_CONFIG_INITIALIZER");
  }
  ncclConfig_t known{};
  known.blocking = kNcclUndefined;
  std::memcpy(&known, given, std::min(size, sizeof known));
  if (known.blocking != kNcclUndefined) config.blocking = known.blocking;
  config.name = known.commName;
  return ncclSuccess;
}

atollUniqueId atollsOf(const ncclUniqueId& id) {
  atollUniqueId other;
  std::memcpy(&other, &id, sizeof other);
  return other;
}

ncclResult_t initialise(ncclComm_t* comm, int ranks, int rank, const std::vector<atollUniqueId>& ids,
                        const ncclConfig_t* given) {
  int device = 0;
  atollConfig_t config;
  if (const ncclResult_t result = currentDevice(device); result != ncclSuccess) return result;
  if (const ncclResult_t result = configured(given, device, config); result != ncclSuccess) return result;
  return resultOf(atollCommInitRankScalable(reinterpret_cast<atollComm_t*>(comm), ranks, rank,
                                            static_cast<int>(ids.size()), ids.data(), &config));
}

}  // namespace
}  // namespace atl::nccl

using namespace atl::nccl;  // NOLINT(google-build-using-namespace): the C functions are outside

ATOLL_NCCL_API ncclResult_t pncclGetVersion(int* version) {
  if (version == nullptr) return refused(ncclInvalidArgument, "argument version is NULL");
  *version = kNcclVersion;
  return ncclSuccess;
}
ATOLL_NCCL_TWIN(GetVersion);

ATOLL_NCCL_API const char* pncclGetErrorString(ncclResult_t result) {
  return atollGetErrorString(static_cast<atollResult_t>(result));
}
ATOLL_NCCL_TWIN(GetErrorString);

ATOLL_NCCL_API const char* pncclGetLastError(ncclComm_t comm) {
  return lastError(comm);
}
ATOLL_NCCL_TWIN(GetLastError);

ATOLL_NCCL_API ncclResult_t pncclGetUniqueId(ncclUniqueId* id) {
  static_assert(sizeof(ncclUniqueId) == sizeof(atollUniqueId));
  return resultOf(atollGetUniqueId(reinterpret_cast<atollUniqueId*>(id)));
}
ATOLL_NCCL_TWIN(GetUniqueId);

ATOLL_NCCL_API ncclResult_t pncclCommInitRank(ncclComm_t* comm, int nranks, ncclUniqueId id, int rank) {
  return initialise(comm, nranks, rank, {atollsOf(id)}, nullptr);
}
ATOLL_NCCL_TWIN(CommInitRank);

ATOLL_NCCL_API ncclResult_t pncclCommInitRankConfig(ncclComm_t* comm, int nranks, ncclUniqueId id, int rank,
                                                    ncclConfig_t* config) {
  return initialise(comm, nranks, rank, {atollsOf(id)}, config);
}
ATOLL_NCCL_TWIN(CommInitRankConfig);

ATOLL_NCCL_API ncclResult_t pncclCommInitRankScalable(ncclComm_t* comm, int nranks, int rank, int nIds,
                                                      ncclUniqueId* ids, ncclConfig_t* config) {
  if (nIds < 1 || ids == nullptr) return refused(ncclInvalidArgument, "arguments nId and commIds give no id");
  std::vector<atollUniqueId> all;
  for (int i = 0; i < nIds; ++i) all.push_back(atollsOf(ids[i]));
  return initialise(comm, nranks, rank, all, config);
}
ATOLL_NCCL_TWIN(CommInitRankScalable);

ATOLL_NCCL_API ncclResult_t pncclCommInitAll(ncclComm_t* comms, int ndev, const int* devlist) {
  if (comms == nullptr) return refused(ncclInvalidArgument, "argument comm is NULL");
  if (ndev < 1) return refused(ncclInvalidArgument, fmt::format("argument ndev is {}; it must be at least 1", ndev));
  atollUniqueId id;
  atollResult_t result = atollGetUniqueId(&id);
  if (result != atollSuccess) return resultOf(result);
  if (result = atollGroupStart(); result != atollSuccess) return resultOf(result);
  for (int rank = 0; rank < ndev && result == atollSuccess; ++rank) {
    atollConfig_t config;
    configured(nullptr, devlist == nullptr ? rank : devlist[rank], config);
    result = atollCommInitRankConfig(reinterpret_cast<atollComm_t*>(comms) + rank, ndev, id, rank, &config);
  }
  const atollResult_t ended = atollGroupEnd();
  return resultOf(result == atollSuccess ? ended : result);
}
ATOLL_NCCL_TWIN(CommInitAll);

ATOLL_NCCL_API ncclResult_t pncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* newcomm,
                                           ncclConfig_t* given) {
  int device = 0;
  if (const atollResult_t result = atollCommDevice(atollsOf(comm), &device); result != atollSuccess) {
    return resultOf(result);
  }
  atollConfig_t config;
  if (const ncclResult_t result = configured(given, device, config); result != ncclSuccess) return result;
  return resultOf(atollCommSplit(atollsOf(comm), color, key, reinterpret_cast<atollComm_t*>(newcomm), &config));
}
ATOLL_NCCL_TWIN(CommSplit);

ATOLL_NCCL_API ncclResult_t pncclCommShrink(ncclComm_t comm, int* excludeRanksList, int excludeRanksCount,
                                            ncclComm_t* newcomm, ncclConfig_t* given, int shrinkFlags) {
  static_assert(kNcclShrinkDefault == ATOLL_SHRINK_DEFAULT && kNcclShrinkAbort == ATOLL_SHRINK_ABORT);
  int device = 0;
  if (const atollResult_t result = atollCommDevice(atollsOf(comm), &device); result != atollSuccess) {
    return resultOf(result);
  }
  atollConfig_t config;
  if (const ncclResult_t result = configured(given, device, config); result != ncclSuccess) return result;
  return resultOf(atollCommShrink(atollsOf(comm), excludeRanksList, excludeRanksCount,
                                  reinterpret_cast<atollComm_t*>(newcomm), &config, shrinkFlags));
}
ATOLL_NCCL_TWIN(CommShrink);

ATOLL_NCCL_API ncclResult_t pncclCommFinalize(ncclComm_t comm) {
  return resultOf(atollCommFinalize(atollsOf(comm)));
}
ATOLL_NCCL_TWIN(CommFinalize);

ATOLL_NCCL_API ncclResult_t pncclCommDestroy(ncclComm_t comm) {
  return resultOf(atollCommDestroy(atollsOf(comm)));
}
ATOLL_NCCL_TWIN(CommDestroy);

ATOLL_NCCL_API ncclResult_t pncclCommAbort(ncclComm_t comm) {
  return resultOf(atollCommAbort(atollsOf(comm)));
}
ATOLL_NCCL_TWIN(CommAbort);

ATOLL_NCCL_API ncclResult_t pncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* asyncError) {
  if (asyncError == nullptr) return refused(ncclInvalidArgument, "argument asyncError is NULL");
  atollResult_t error = atollSuccess;
  const atollResult_t result = atollCommGetAsyncError(atollsOf(comm), &error);
  *asyncError = resultOf(error);
  return resultOf(result);
}
ATOLL_NCCL_TWIN(CommGetAsyncError);

ATOLL_NCCL_API ncclResult_t pncclCommCount(const ncclComm_t comm, int* count) {
  return resultOf(atollCommCount(atollsOf(comm), count));
}
ATOLL_NCCL_TWIN(CommCount);

ATOLL_NCCL_API ncclResult_t pncclCommCuDevice(const ncclComm_t comm, int* device) {
  return resultOf(atollCommDevice(atollsOf(comm), device));
}
ATOLL_NCCL_TWIN(CommCuDevice);

ATOLL_NCCL_API ncclResult_t pncclCommUserRank(const ncclComm_t comm, int* rank) {
  return resultOf(atollCommUserRank(atollsOf(comm), rank));
}
ATOLL_NCCL_TWIN(CommUserRank);
