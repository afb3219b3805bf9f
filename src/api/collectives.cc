// SPDX-License-Identifier: Apache-2.0
// The collectives with equal counts: what each checks, and what its in-place form is.
#include "src/api/arguments.h"
#include "src/api/submit.h"

namespace atl::api {
namespace {

using Custom = std::shared_ptr<const CustomOperator>;

/// What all of these calls have.
struct Arguments {
  const void* send;
  void* recv;
  const char* countName;
  std::size_t count;
  atollDataType_t type;
};

/// How many blocks of `count` elements lie in each buffer on this rank; 0 where the buffer is not used.
struct Blocks {
  Rank send = 1;
  Rank recv = 1;
};

Status fill(Call& call, Collective collective, const Arguments& arguments) {
  call.collective = collective;
  call.count = arguments.count;
  ATOLL_ASSIGN(call.type, checkType(arguments.type));
  return success();
}

Status fillOperator(const Entry& entry, Call& call, atollRedOp_t op, Custom& custom) {
  ATOLL_ASSIGN(call.op, checkOperator(op, call.type, entry.operators, custom));
  return success();
}

Status fillRoot(const Entry& entry, Call& call, int root) {
  ATOLL_TRY(checkRank("root", root, entry.ranks));
  call.root = root;
  return success();
}

/// Where this rank's block begins in a buffer of all ranks' blocks.
const std::byte* ownBlock(const Entry& entry, const Call& call, const void* buffer) {
  return static_cast<const std::byte*>(buffer) + static_cast<std::size_t>(entry.rank) * call.count * sizeOf(call.type);
}

/// Checks the buffers; one that is not used on this rank is not even passed on.
Status fillBuffers(Call& call, const Arguments& arguments, Blocks blocks, const InPlace& inPlace) {
  ATOLL_ASSIGN(const auto sendBytes, checkSize(arguments.countName, arguments.count, call.type, blocks.send));
  ATOLL_ASSIGN(const auto recvBytes, checkSize(arguments.countName, arguments.count, call.type, blocks.recv));
  const BufferArgument send{"sendbuff", arguments.send, sendBytes};
  const BufferArgument recv{"recvbuff", arguments.recv, recvBytes};
  ATOLL_TRY(checkBuffer(send));
  ATOLL_TRY(checkBuffer(recv));
  ATOLL_TRY(checkApart(send, recv, inPlace));
  call.send = blocks.send == 0 ? nullptr : arguments.send;
  call.recv = blocks.recv == 0 ? nullptr : arguments.recv;
  return success();
}

InPlace sameBuffer(const Arguments& arguments) {
  return {arguments.recv, arguments.recv, "recvbuff == sendbuff"};
}
InPlace sendIsOwnBlock(const Entry& entry, const Call& call, const Arguments& arguments) {
  return {ownBlock(entry, call, arguments.recv), arguments.recv, "sendbuff == recvbuff + rank * sendcount"};
}
InPlace recvIsOwnBlock(const Entry& entry, const Call& call, const Arguments& arguments) {
  return {arguments.send, ownBlock(entry, call, arguments.send), "recvbuff == sendbuff + rank * recvcount"};
}

}  // namespace
}  // namespace atl::api

using namespace atl;       // NOLINT(google-build-using-namespace): the C functions are outside
using namespace atl::api;  // NOLINT(google-build-using-namespace)

atollResult_t atollAllReduce(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollRedOp_t op,
                             atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollAllReduce", comm, stream, [&](const Entry& entry, Call& call, Custom& custom) -> Status {
    const Arguments arguments{sendbuff, recvbuff, "count", count, type};
    ATOLL_TRY(fill(call, Collective::allReduce, arguments));
    ATOLL_TRY(fillOperator(entry, call, op, custom));
    return fillBuffers(call, arguments, {1, 1}, sameBuffer(arguments));
  });
}

atollResult_t atollReduce(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollRedOp_t op,
                          int root, atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollReduce", comm, stream, [&](const Entry& entry, Call& call, Custom& custom) -> Status {
    const Arguments arguments{sendbuff, recvbuff, "count", count, type};
    ATOLL_TRY(fill(call, Collective::reduce, arguments));
    ATOLL_TRY(fillOperator(entry, call, op, custom));
    ATOLL_TRY(fillRoot(entry, call, root));
    return fillBuffers(call, arguments, {1, root == entry.rank ? 1 : 0}, sameBuffer(arguments));
  });
}

atollResult_t atollBroadcast(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, int root,
                             atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollBroadcast", comm, stream, [&](const Entry& entry, Call& call, Custom&) -> Status {
    const Arguments arguments{sendbuff, recvbuff, "count", count, type};
    ATOLL_TRY(fill(call, Collective::broadcast, arguments));
    ATOLL_TRY(fillRoot(entry, call, root));
    return fillBuffers(call, arguments, {root == entry.rank ? 1 : 0, 1}, sameBuffer(arguments));
  });
}

atollResult_t atollAllGather(const void* sendbuff, void* recvbuff, size_t sendcount, atollDataType_t type,
                             atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollAllGather", comm, stream, [&](const Entry& entry, Call& call, Custom&) -> Status {
    const Arguments arguments{sendbuff, recvbuff, "sendcount", sendcount, type};
    ATOLL_TRY(fill(call, Collective::allGather, arguments));
    return fillBuffers(call, arguments, {1, entry.ranks}, sendIsOwnBlock(entry, call, arguments));
  });
}

atollResult_t atollReduceScatter(const void* sendbuff, void* recvbuff, size_t recvcount, atollDataType_t type,
                                 atollRedOp_t op, atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollReduceScatter", comm, stream,
                      [&](const Entry& entry, Call& call, Custom& custom) -> Status {
                        const Arguments arguments{sendbuff, recvbuff, "recvcount", recvcount, type};
                        ATOLL_TRY(fill(call, Collective::reduceScatter, arguments));
                        ATOLL_TRY(fillOperator(entry, call, op, custom));
                        return fillBuffers(call, arguments, {entry.ranks, 1}, recvIsOwnBlock(entry, call, arguments));
                      });
}

atollResult_t atollAllToAll(const void* sendbuff, void* recvbuff, size_t count, atollDataType_t type, atollComm_t comm,
                            atollStream_t stream) {
  return submit<Call>("atollAllToAll", comm, stream, [&](const Entry& entry, Call& call, Custom&) -> Status {
    const Arguments arguments{sendbuff, recvbuff, "count", count, type};
    ATOLL_TRY(fill(call, Collective::allToAll, arguments));
    return fillBuffers(call, arguments, {entry.ranks, entry.ranks}, InPlace{});
  });
}

atollResult_t atollGather(const void* sendbuff, void* recvbuff, size_t sendcount, atollDataType_t type, int root,
                          atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollGather", comm, stream, [&](const Entry& entry, Call& call, Custom&) -> Status {
    const Arguments arguments{sendbuff, recvbuff, "sendcount", sendcount, type};
    ATOLL_TRY(fill(call, Collective::gather, arguments));
    ATOLL_TRY(fillRoot(entry, call, root));
    const Rank received = root == entry.rank ? entry.ranks : 0;
    return fillBuffers(call, arguments, {1, received}, sendIsOwnBlock(entry, call, arguments));
  });
}

atollResult_t atollScatter(const void* sendbuff, void* recvbuff, size_t recvcount, atollDataType_t type, int root,
                           atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollScatter", comm, stream, [&](const Entry& entry, Call& call, Custom&) -> Status {
    const Arguments arguments{sendbuff, recvbuff, "recvcount", recvcount, type};
    ATOLL_TRY(fill(call, Collective::scatter, arguments));
    ATOLL_TRY(fillRoot(entry, call, root));
    const Rank sent = root == entry.rank ? entry.ranks : 0;
    return fillBuffers(call, arguments, {sent, 1}, recvIsOwnBlock(entry, call, arguments));
  });
}

atollResult_t atollBarrier(atollComm_t comm, atollStream_t stream) {
  return submit<Call>("atollBarrier", comm, stream, [](const Entry&, Call& call, Custom&) -> Status {
    call.collective = Collective::barrier;
    return success();
  });
}
