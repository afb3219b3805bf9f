// SPDX-License-Identifier: Apache-2.0
#include "transports/ncclnet/wire.h"

#include <algorithm>

#include "transports/same_message.h"

namespace atl::ncclnet {
namespace {

std::string_view nameIn(const std::array<char, 64>& field) {
  const auto end = std::find(field.begin(), field.end(), '\0');
  return {field.data(), static_cast<std::size_t>(end - field.begin())};
}

}  // namespace

Greeting greetingOf(std::string_view plugin, std::size_t mostBytes) {
  Greeting greeting;
  greeting.blockBytes = std::min<std::uint64_t>(kBlockBytes, mostBytes);
  std::copy_n(plugin.begin(), std::min(plugin.size(), greeting.plugin.size()), greeting.plugin.begin());
  return greeting;
}

Result<std::uint64_t> agreedBlock(const Greeting& theirs, const Greeting& mine) {
  if (theirs.magic != Greeting::kMagic || theirs.reserved != 0) {
    return makeError(ErrorCode::remoteError,
                     "protocol: the peer's first bytes ({:#010x}) are not those of a link over "
                     "a network plug-in",
                     theirs.magic);
  }
  if (theirs.version != kVersion) {
    return makeError(ErrorCode::remoteError,
                     "protocol: the peer speaks version {} of links over network plug-ins, this is version {}",
                     theirs.version, kVersion);
  }
  if (theirs.plugin != mine.plugin) {
    return makeError(ErrorCode::unsupported, "the peer's network plug-in is '{}', this process's is '{}'",
                     nameIn(theirs.plugin), nameIn(mine.plugin));
  }
  if (theirs.blockBytes < kLeastBlockBytes || theirs.blockBytes > kBlockBytes) {
    return makeError(ErrorCode::remoteError, "protocol: the peer takes blocks of {} bytes, from {} to {} can be",
                     theirs.blockBytes, kLeastBlockBytes, kBlockBytes);
  }
  return std::min(theirs.blockBytes, mine.blockBytes);
}

Status check(const Header& header, std::size_t came, const Expectation& expected) {
  if (came < sizeof header || header.magic != Header::kMagic || header.reserved != 0) {
    return makeError(ErrorCode::remoteError,
                     "protocol: {} bytes of garbage ({:#010x}) where the header of message {} should be", came,
                     header.magic, expected.message);
  }
  if (header.message != expected.message) {
    return makeError(ErrorCode::remoteError, "protocol: the header of message {} where that of message {} should be",
                     header.message, expected.message);
  }
  ATOLL_TRY(sameMessage({expected.me, expected.bytes, expected.call}, {expected.peer, header.bytes, header.call}));
  const std::uint64_t behind = expected.bytes <= kInlineBytes ? expected.bytes : 0;
  if (came - sizeof header == behind) return success();
  return makeError(ErrorCode::remoteError, "protocol: {} bytes behind the header of a message of {}, not {}",
                   came - sizeof header, expected.bytes, behind);
}

}  // namespace atl::ncclnet
