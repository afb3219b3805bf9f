// SPDX-License-Identifier: Apache-2.0
// atollSend and atollRecv.
#include "src/api/arguments.h"
#include "src/api/submit.h"

namespace atl::api {
namespace {

Status fill(const Entry& entry, PointToPoint& operation, const BufferArgument& buffer, std::size_t count,
            atollDataType_t type, int peer) {
  ATOLL_ASSIGN(operation.type, checkType(type));
  ATOLL_TRY(checkRank("peer", peer, entry.ranks));
  ATOLL_ASSIGN(const auto bytes, checkSize("count", count, operation.type));
  ATOLL_TRY(checkBuffer({buffer.name, buffer.data, bytes}));
  if (peer == entry.rank && !groupIsOpen()) {
    return makeError(
        ErrorCode::invalidUsage,
        "argument peer is {}, this rank itself: outside a group it would wait for its own other half for ever", peer);
  }
  operation.count = count;
  operation.peer = peer;
  return success();
}

}  // namespace
}  // namespace atl::api

using namespace atl;       // NOLINT(google-build-using-namespace): the C functions are outside
using namespace atl::api;  // NOLINT(google-build-using-namespace)

atollResult_t atollSend(const void* sendbuff, size_t count, atollDataType_t type, int peer, atollComm_t comm,
                        atollStream_t stream) {
  return submit<PointToPoint>(
      "atollSend", comm, stream, [&](const Entry& entry, PointToPoint& operation, auto&) -> Status {
        operation.isSend = true;
        operation.buffer =
            const_cast<void*>(sendbuff);  // NOLINT(cppcoreguidelines-pro-type-const-cast): only read when sending
        return fill(entry, operation, {"sendbuff", sendbuff}, count, type, peer);
      });
}

atollResult_t atollRecv(void* recvbuff, size_t count, atollDataType_t type, int peer, atollComm_t comm,
                        atollStream_t stream) {
  return submit<PointToPoint>("atollRecv", comm, stream,
                              [&](const Entry& entry, PointToPoint& operation, auto&) -> Status {
                                operation.buffer = recvbuff;
                                return fill(entry, operation, {"recvbuff", recvbuff}, count, type, peer);
                              });
}
