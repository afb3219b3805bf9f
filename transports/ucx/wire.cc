// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/wire.h"

#include "transports/same_message.h"

namespace atl::ucx {

Status check(const Greeting& theirs) {
  if (theirs.magic != Greeting::kMagic || theirs.reserved != 0) {
    return makeError(ErrorCode::remoteError, "protocol: the peer's first bytes ({:#x}) are not those of a UCX link",
                     theirs.magic);
  }
  if (theirs.version != kVersion) {
    return makeError(ErrorCode::remoteError, "protocol: the peer speaks version {} of UCX links, this is version {}",
                     theirs.version, kVersion);
  }
  if (theirs.addressBytes == 0 || theirs.addressBytes > kMostAddressBytes) {
    return makeError(ErrorCode::remoteError, "protocol: the peer's address takes {} bytes, from 1 to {} can be",
                     theirs.addressBytes, kMostAddressBytes);
  }
  return success();
}

Status check(const FragmentHeader& header, const Expectation& expected) {
  if (header.message != expected.message || header.at != expected.at) {
    return makeError(ErrorCode::remoteError,
                     "protocol: byte {} of message {} came where byte {} of message {} should be", header.at,
                     header.message, expected.at, expected.message);
  }
  if (header.at == 0) {
    ATOLL_TRY(sameMessage({expected.me, expected.messageBytes, expected.call},
                          {expected.peer, header.messageBytes, header.call}));
  }
  const std::uint64_t left = expected.messageBytes - expected.at;
  if (header.messageBytes != expected.messageBytes || header.bytes > left || (header.bytes == 0) != (left == 0) ||
      header.bytes > kBlockBytes) {
    return makeError(ErrorCode::remoteError, "protocol: {} bytes came at {} of a message of {}", header.bytes,
                     header.at, expected.messageBytes);
  }
  return success();
}

}  // namespace atl::ucx
