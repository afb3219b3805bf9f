// SPDX-License-Identifier: Apache-2.0
#include "transports/tcp/wire.h"

#include <algorithm>

#include "transports/same_message.h"

namespace atl::tcp {

Result<int> connectionsAgreed(const Greeting& theirs, int mine) {
  if (theirs.magic != Greeting::kMagic) {
    return makeError(ErrorCode::remoteError, "protocol: the peer's first bytes ({:#x}) are not those of a TCP link",
                     theirs.magic);
  }
  if (theirs.version != kVersion) {
    return makeError(ErrorCode::remoteError, "protocol: the peer speaks version {} of TCP links, this is version {}",
                     theirs.version, kVersion);
  }
  if (theirs.connections == 0 || theirs.connections > kMaxConnections) {
    return makeError(ErrorCode::remoteError, "protocol: the peer wants {} connections, from 1 to {} can be",
                     theirs.connections, kMaxConnections);
  }
  return std::min<int>(theirs.connections, mine);
}

Status check(const Header& header, const Expectation& expected) {
  if (header.magic != Header::kMagic || header.reserved != 0) {
    return makeError(ErrorCode::remoteError,
                     "protocol: garbage ({:#010x} {:#010x}) where the header of message {} should be", header.magic,
                     header.reserved, expected.message);
  }
  if (header.message != expected.message) {
    return makeError(ErrorCode::remoteError, "protocol: the header of message {} where that of message {} should be",
                     header.message, expected.message);
  }
  return sameMessage({expected.me, expected.bytes, expected.call}, {expected.peer, header.bytes, header.call});
}

}  // namespace atl::tcp
