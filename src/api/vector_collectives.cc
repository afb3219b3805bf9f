// SPDX-License-Identifier: Apache-2.0
// The collectives with a count for each rank.
#include "src/api/arguments.h"
#include "src/api/submit.h"

namespace atl::api {
namespace {

using Custom = std::shared_ptr<const CustomOperator>;

Status fill(Call& call, Collective collective, atollDataType_t type) {
  call.collective = collective;
  call.vForm = true;
  ATOLL_ASSIGN(call.type, checkType(type));
  return success();
}

Status fillBuffers(Call& call, const BufferArgument& send, void* recvbuff, std::uint64_t recvBytes,
                   const InPlace& inPlace) {
  const BufferArgument recv{"recvbuff", recvbuff, recvBytes};
  ATOLL_TRY(checkBuffer(send));
  ATOLL_TRY(checkBuffer(recv));
  ATOLL_TRY(checkApart(send, recv, inPlace));
  call.send = send.data;
  call.recv = recvbuff;
  return success();
}

/// Elements of blocks that lie back to back, as far as block `end`.
Result<std::uint64_t> sumOf(const char* name, const std::size_t* counts, Rank end) {
  std::uint64_t sum = 0;
  for (Rank i = 0; i < end; ++i) {
    if (__builtin_add_overflow(sum, counts[i], &sum)) {
      return makeError(ErrorCode::invalidArgument,
                       "argument {}[{}] is {}: the sum of the counts exceeds the address space", name, i, counts[i]);
    }
  }
  return sum;
}

}  // namespace
}  // namespace atl::api

using namespace atl;       // NOLINT(google-build-using-namespace): the C functions are outside
using namespace atl::api;  // NOLINT(google-build-using-namespace)

atollResult_t atollAllGatherV(const void* sendbuff, size_t sendcount, void* recvbuff, const size_t* recvcounts,
                              const size_t* displs, atollDataType_t type, atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollAllGatherV", comm, stream, [&](const Entry& entry, Call& call, Custom&) -> Status {
    ATOLL_TRY(fill(call, Collective::allGather, type));
    ATOLL_ASSIGN(const auto recvBytes,
                 checkBlocks("recvcounts", recvcounts, "displs", displs, entry.ranks, call.type, true));
    if (sendcount != recvcounts[entry.rank]) {
      return makeError(ErrorCode::invalidArgument, "argument sendcount is {}, but recvcounts[{}], this rank's, is {}",
                       sendcount, entry.rank, recvcounts[entry.rank]);
    }
    ATOLL_ASSIGN(const auto sendBytes, checkSize("sendcount", sendcount, call.type));
    call.count = sendcount;
    call.recvCounts = recvcounts;
    call.recvDispls = displs;
    const auto* const own = static_cast<const std::byte*>(recvbuff) + displs[entry.rank] * sizeOf(call.type);
    return fillBuffers(call, {"sendbuff", sendbuff, sendBytes}, recvbuff, recvBytes,
                       {own, recvbuff, "sendbuff == recvbuff + displs[rank]"});
  });
}

atollResult_t atollReduceScatterV(const void* sendbuff, const size_t* counts, void* recvbuff, atollDataType_t type,
                                  atollRedOp_t op, atollComm_t comm, atollStream_t stream) {
  return submit<Call>(
      "atollReduceScatterV", comm, stream, [&](const Entry& entry, Call& call, Custom& custom) -> Status {
        ATOLL_TRY(fill(call, Collective::reduceScatter, type));
        ATOLL_ASSIGN(call.op, checkOperator(op, call.type, entry.operators, custom));
        ATOLL_TRY(checkNotNull("counts", counts));
        ATOLL_ASSIGN(const auto sum, sumOf("counts", counts, entry.ranks));
        ATOLL_ASSIGN(const auto sendBytes, checkSize("counts (their sum)", sum, call.type));
        ATOLL_ASSIGN(const auto before, sumOf("counts", counts, entry.rank));
        call.count = counts[entry.rank];
        call.sendCounts = counts;
        const auto* const own = static_cast<const std::byte*>(sendbuff) + before * sizeOf(call.type);
        return fillBuffers(call, {"sendbuff", sendbuff, sendBytes}, recvbuff, call.count * sizeOf(call.type),
                           {sendbuff, own, "recvbuff == sendbuff + counts[0] + … + counts[rank-1]"});
      });
}

atollResult_t atollAllToAllV(const void* sendbuff, const size_t* sendcounts, const size_t* sdispls, void* recvbuff,
                             const size_t* recvcounts, const size_t* rdispls, atollDataType_t type, atollComm_t comm,
                             atollStream_t stream) {
  return submit<Call>("atollAllToAllV", comm, stream, [&](const Entry& entry, Call& call, Custom&) -> Status {
    ATOLL_TRY(fill(call, Collective::allToAll, type));
    ATOLL_ASSIGN(const auto sendBytes,
                 checkBlocks("sendcounts", sendcounts, "sdispls", sdispls, entry.ranks, call.type, false));
    ATOLL_ASSIGN(const auto recvBytes,
                 checkBlocks("recvcounts", recvcounts, "rdispls", rdispls, entry.ranks, call.type, true));
    call.sendCounts = sendcounts;
    call.sendDispls = sdispls;
    call.recvCounts = recvcounts;
    call.recvDispls = rdispls;
    return fillBuffers(call, {"sendbuff", sendbuff, sendBytes}, recvbuff, recvBytes, InPlace{});
  });
}
