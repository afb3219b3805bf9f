// SPDX-License-Identifier: Apache-2.0
// The collectives with equal counts: what each checks, and what its in-place form is.
#include "src/api/arguments.h"
#include "src/api/submit.h"

namespace atl::api {
namespace {

using Arguments = CollectiveArguments;

/// How many blocks of `count` elements lie in each buffer on this rank; 0 where the buffer is not used.
struct Blocks {
  Rank send = 1;
  Rank recv = 1;
};

Blocks blocksOf(const Entry& entry, const Arguments& arguments) {
  const bool isRoot = arguments.root == entry.rank;
  switch (arguments.collective) {
    case Collective::reduce: return {1, isRoot ? 1 : 0};
    case Collective::broadcast: return {isRoot ? 1 : 0, 1};
    case Collective::allGather: return {1, entry.ranks};
    case Collective::reduceScatter: return {entry.ranks, 1};
    case Collective::allToAll: return {entry.ranks, entry.ranks};
    case Collective::gather: return {1, isRoot ? entry.ranks : 0};
    case Collective::scatter: return {isRoot ? entry.ranks : 0, 1};
    default: return {1, 1};
  }
}

const char* countNameOf(Collective collective) {
  switch (collective) {
    case Collective::allGather:
    case Collective::gather: return "sendcount";
    case Collective::reduceScatter:
    case Collective::scatter: return "recvcount";
    default: return "count";
  }
}

InPlace inPlaceOf(const Entry& entry, const Call& call, const Arguments& arguments) {
  const auto ownBlock = [&](const void* buffer) {
    return static_cast<const std::byte*>(buffer) +
           static_cast<std::size_t>(entry.rank) * call.count * sizeOf(call.type);
  };
  switch (arguments.collective) {
    case Collective::allToAll: return {};
    case Collective::allGather:
    case Collective::gather:
      return {ownBlock(arguments.recv), arguments.recv, "sendbuff == recvbuff + rank * sendcount"};
    case Collective::reduceScatter:
    case Collective::scatter:
      return {arguments.send, ownBlock(arguments.send), "recvbuff == sendbuff + rank * recvcount"};
    default: return {arguments.recv, arguments.recv, "recvbuff == sendbuff"};
  }
}

/// Checks the buffers; one that is not used on this rank is not even passed on.
Status fillBuffers(const Entry& entry, const Arguments& arguments, Call& call) {
  const Blocks blocks = blocksOf(entry, arguments);
  const char* const countName = countNameOf(arguments.collective);
  ATOLL_ASSIGN(const auto sendBytes, checkSize(countName, arguments.count, call.type, blocks.send));
  ATOLL_ASSIGN(const auto recvBytes, checkSize(countName, arguments.count, call.type, blocks.recv));
  const BufferArgument send{"sendbuff", arguments.send, sendBytes};
  const BufferArgument recv{"recvbuff", arguments.recv, recvBytes};
  ATOLL_TRY(checkBuffer(send));
  ATOLL_TRY(checkBuffer(recv));
  ATOLL_TRY(checkApart(send, recv, inPlaceOf(entry, call, arguments)));
  call.send = blocks.send == 0 ? nullptr : arguments.send;
  call.recv = blocks.recv == 0 ? nullptr : arguments.recv;
  return success();
}

Status fill(const Entry& entry, const Arguments& arguments, Call& call, std::shared_ptr<const CustomOperator>& custom) {
  call.collective = arguments.collective;
  if (call.collective == Collective::barrier) return success();
  call.count = arguments.count;
  ATOLL_ASSIGN(call.type, checkType(arguments.type));
  if (isReducing(call.collective)) {
    ATOLL_ASSIGN(call.op, checkOperator(arguments.op, call.type, entry.operators, custom));
  }
  if (isRooted(call.collective)) {
    ATOLL_TRY(checkRank("root", arguments.root, entry.ranks));
    call.root = arguments.root;
  }
  return fillBuffers(entry, arguments, call);
}

atollResult_t submitCollective(const char* name, atollComm_t comm, atollStream_t stream, const Arguments& arguments) {
  return submitRepeatable(name, comm, stream, arguments, [&](const Entry& entry, Call& call, auto& custom) {
    return fill(entry, arguments, call, custom);
  });
}

}  // namespace
}  // namespace atl::api

using namespace atl;       // NOLINT(google-build-using-namespace): the C functions are outside
using namespace atl::api;  // NOLINT(google-build-using-namespace)

atollResult_t atollAllReduce(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollRedOp_t op,
                             atollComm_t comm, atollStream_t stream) {
  return submitCollective("atollAllReduce", comm, stream,
                          {.collective = Collective::allReduce,
                           .send = sendbuff,
                           .recv = recvbuff,
                           .count = count,
                           .type = type,
                           .op = op});
}

atollResult_t atollReduce(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollRedOp_t op,
                          int root, atollComm_t comm, atollStream_t stream) {
  return submitCollective("atollReduce", comm, stream,
                          {.collective = Collective::reduce,
                           .send = sendbuff,
                           .recv = recvbuff,
                           .count = count,
                           .type = type,
                           .op = op,
                           .root = root});
}

atollResult_t atollBroadcast(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, int root,
                             atollComm_t comm, atollStream_t stream) {
  return submitCollective("atollBroadcast", comm, stream,
                          {.collective = Collective::broadcast,
                           .send = sendbuff,
                           .recv = recvbuff,
                           .count = count,
                           .type = type,
                           .root = root});
}

atollResult_t atollAllGather(const void* sendbuff, void* recvbuff, size_t sendcount, atollDataType_t type,
                             atollComm_t comm, atollStream_t stream) {
  return submitCollective(
      "atollAllGather", comm, stream,
      {.collective = Collective::allGather, .send = sendbuff, .recv = recvbuff, .count = sendcount, .type = type});
}

atollResult_t atollReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount, atollDataType_t type,
                                 atollRedOp_t op, atollComm_t comm, atollStream_t stream) {
  return submitCollective("atollReduceScatter", comm, stream,
                          {.collective = Collective::reduceScatter,
                           .send = sendbuff,
                           .recv = recvbuff,
                           .count = recvcount,
                           .type = type,
                           .op = op});
}

atollResult_t atollAllToAll(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollComm_t comm,
                            atollStream_t stream) {
  return submitCollective(
      "atollAllToAll", comm, stream,
      {.collective = Collective::allToAll, .send = sendbuff, .recv = recvbuff, .count = count, .type = type});
}

atollResult_t atollGather(const void* sendbuff, void* recvbuff, size_t sendcount, atollDataType_t type, int root,
                          atollComm_t comm, atollStream_t stream) {
  return submitCollective("atollGather", comm, stream,
                          {.collective = Collective::gather,
                           .send = sendbuff,
                           .recv = recvbuff,
                           .count = sendcount,
                           .type = type,
                           .root = root});
}

atollResult_t atollScatter(const void* sendbuff, void* recvbuff, size_t recvcount, atollDataType_t type, int root,
                           atollComm_t comm, atollStream_t stream) {
  return submitCollective("atollScatter", comm, stream,
                          {.collective = Collective::scatter,
                           .send = sendbuff,
                           .recv = recvbuff,
                           .count = recvcount,
                           .type = type,
                           .root = root});
}

atollResult_t atollBarrier(atollComm_t comm, atollStream_t stream) {
  return submitCollective("atollBarrier", comm, stream, {.collective = Collective::barrier});
}
