// SPDX-License-Identifier: Apache-2.0
// Collectives, sends and receives, groups and operators: Atoll's, under NCCL's names.
#include <cstddef>
#include <cstring>

#include "integrations/nccl/results.h"

using namespace atl::nccl;  // NOLINT(google-build-using-namespace): the C functions are outside

namespace {

atollDataType_t typeOf(ncclDataType_t type) {
  return static_cast<atollDataType_t>(type);
}

}  // namespace

ATOLL_NCCL_API ncclResult_t pncclAllReduce(const void* sendbuff, void* recvbuff, std::size_t count, ncclDataType_t type,
                                           ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  return resultOf(atollAllReduce(sendbuff, recvbuff, count, typeOf(type), op, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(AllReduce);

ATOLL_NCCL_API ncclResult_t pncclReduce(const void* sendbuff, void* recvbuff, std::size_t count, ncclDataType_t type,
                                        ncclRedOp_t op, int root, ncclComm_t comm, cudaStream_t stream) {
  return resultOf(atollReduce(sendbuff, recvbuff, count, typeOf(type), op, root, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(Reduce);

ATOLL_NCCL_API ncclResult_t pncclBroadcast(const void* sendbuff, void* recvbuff, std::size_t count, ncclDataType_t type,
                                           int root, ncclComm_t comm, cudaStream_t stream) {
  return resultOf(atollBroadcast(sendbuff, recvbuff, count, typeOf(type), root, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(Broadcast);

ATOLL_NCCL_API ncclResult_t pncclBcast(void* buff, std::size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                                       cudaStream_t stream) {
  return resultOf(atollBroadcast(buff, buff, count, typeOf(type), root, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(Bcast);

ATOLL_NCCL_API ncclResult_t pncclAllGather(const void* sendbuff, void* recvbuff, std::size_t sendcount,
                                           ncclDataType_t type, ncclComm_t comm, cudaStream_t stream) {
  return resultOf(atollAllGather(sendbuff, recvbuff, sendcount, typeOf(type), atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(AllGather);

ATOLL_NCCL_API ncclResult_t pncclReduceScatter(const void* sendbuff, void* recvbuff, std::size_t recvcount,
                                               ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm,
                                               cudaStream_t stream) {
  return resultOf(
      atollReduceScatter(sendbuff, recvbuff, recvcount, typeOf(type), op, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(ReduceScatter);

ATOLL_NCCL_API ncclResult_t pncclAlltoAll(const void* sendbuff, void* recvbuff, std::size_t count, ncclDataType_t type,
                                          ncclComm_t comm, cudaStream_t stream) {
  return resultOf(atollAllToAll(sendbuff, recvbuff, count, typeOf(type), atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(AlltoAll);

ATOLL_NCCL_API ncclResult_t pncclGather(const void* sendbuff, void* recvbuff, std::size_t count, ncclDataType_t type,
                                        int root, ncclComm_t comm, cudaStream_t stream) {
  return resultOf(atollGather(sendbuff, recvbuff, count, typeOf(type), root, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(Gather);

ATOLL_NCCL_API ncclResult_t pncclScatter(const void* sendbuff, void* recvbuff, std::size_t count, ncclDataType_t type,
                                         int root, ncclComm_t comm, cudaStream_t stream) {
  return resultOf(atollScatter(sendbuff, recvbuff, count, typeOf(type), root, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(Scatter);

ATOLL_NCCL_API ncclResult_t pncclSend(const void* sendbuff, std::size_t count, ncclDataType_t type, int peer,
                                      ncclComm_t comm, cudaStream_t stream) {
  return resultOf(atollSend(sendbuff, count, typeOf(type), peer, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(Send);

ATOLL_NCCL_API ncclResult_t pncclRecv(void* recvbuff, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                                      cudaStream_t stream) {
  return resultOf(atollRecv(recvbuff, count, typeOf(type), peer, atollsOf(comm), atollsOf(stream)));
}
ATOLL_NCCL_TWIN(Recv);

ATOLL_NCCL_API ncclResult_t pncclGroupStart() {
  return resultOf(atollGroupStart());
}
ATOLL_NCCL_TWIN(GroupStart);

ATOLL_NCCL_API ncclResult_t pncclGroupEnd() {
  return resultOf(atollGroupEnd());
}
ATOLL_NCCL_TWIN(GroupEnd);

// The group is closed whatever is wrong with what is to be told. NCCL tells microseconds.
ATOLL_NCCL_API ncclResult_t pncclGroupSimulateEnd(ncclSimInfo_t* simInfo) {
  double seconds = 0;
  const ncclResult_t ended = resultOf(atollGroupSimulateEnd(&seconds));
  if (ended != ncclSuccess) return ended;
  std::size_t size = 0;
  if (simInfo != nullptr) std::memcpy(&size, &simInfo->size, sizeof size);
  constexpr std::size_t kWanted = offsetof(ncclSimInfo_t, estimatedTime) + sizeof simInfo->estimatedTime;
  if (size < kWanted || simInfo->magic != kNcclSimInfoMagic) {
    return refused(ncclInvalidArgument, "argument simInfo was not initialised with NCCL_SIM_INFO_INITIALIZER");
  }
  constexpr double kMicroseconds = 1e6;
  simInfo->estimatedTime = static_cast<float>(seconds * kMicroseconds);
  return ncclSuccess;
}
ATOLL_NCCL_TWIN(GroupSimulateEnd);

ATOLL_NCCL_API ncclResult_t pncclRedOpCreatePreMulSum(ncclRedOp_t* op, void* scalar, ncclDataType_t type,
                                                      ncclScalarResidence_t residence, ncclComm_t comm) {
  return resultOf(atollRedOpCreatePreMulSum(op, scalar, typeOf(type), static_cast<atollScalarResidence_t>(residence),
                                            atollsOf(comm)));
}
ATOLL_NCCL_TWIN(RedOpCreatePreMulSum);

ATOLL_NCCL_API ncclResult_t pncclRedOpDestroy(ncclRedOp_t op, ncclComm_t comm) {
  return resultOf(atollRedOpDestroy(op, atollsOf(comm)));
}
ATOLL_NCCL_TWIN(RedOpDestroy);
