// SPDX-License-Identifier: Apache-2.0
#include "transports/rdma/wire.h"

#include "transports/same_message.h"

namespace atl::rdma {
namespace {

constexpr int kBytesBits = 24;
static_assert(kMostGrantBytes < (std::uint64_t{1} << kBytesBits) && kGrants <= 256);

}  // namespace

std::uint32_t immediateOf(const Arrival& arrival) {
  return static_cast<std::uint32_t>((arrival.grant % kGrants) << kBytesBits | arrival.bytes);
}

Arrival arrivalOf(std::uint32_t immediate) {
  return {immediate >> kBytesBits, immediate & ((1U << kBytesBits) - 1)};
}

Word wordOf(const GrantKey& key) {
  Word word;
  word.kind = Word::Kind::key;
  word.path = static_cast<std::uint16_t>(key.device);
  word.generation = key.key;
  word.requests = key.grant;
  return word;
}

GrantKey keyIn(const Word& word) {
  return {word.requests, word.path, word.generation};
}

Status check(const Greeting& theirs) {
  if (theirs.magic != Greeting::kMagic) {
    return makeError(ErrorCode::remoteError, "protocol: the peer's first bytes ({:#x}) are not those of an RDMA link",
                     theirs.magic);
  }
  if (theirs.version != kVersion) {
    return makeError(ErrorCode::remoteError, "protocol: the peer speaks version {} of RDMA links, this is version {}",
                     theirs.version, kVersion);
  }
  if (theirs.paths == 0 || theirs.paths > kMostPaths) {
    return makeError(ErrorCode::remoteError, "protocol: the peer wants {} queue pairs, from 1 to {} can be",
                     theirs.paths, kMostPaths);
  }
  return success();
}

Status check(const Word& theirs, std::size_t places) {
  constexpr std::uint32_t kMostNumber = (1U << 24) - 1;
  const PathOffer& offer = theirs.offer;
  const bool isOffer = theirs.kind == Word::Kind::offer;
  const bool isWord = theirs.kind >= Word::Kind::offer && theirs.kind <= Word::Kind::leave;
  if (theirs.kind == Word::Kind::key && theirs.path < kMostDevices) return success();
  const bool sound = offer.queuePair <= kMostNumber && offer.packetNumber <= kMostNumber && offer.mtu >= 1 &&
                     offer.mtu <= 5 && offer.ethernet <= 1 && offer.device < kMostDevices;
  if (isWord && theirs.path < places && (sound || !isOffer)) return success();
  return makeError(ErrorCode::remoteError,
                   "protocol: the peer says what there is not of a queue pair (kind {}, path {}, number {:#x}, MTU {})",
                   static_cast<int>(theirs.kind), theirs.path, offer.queuePair, offer.mtu);
}

Status check(const FragmentNote& fragment, const Expectation& expected) {
  if (fragment.message != expected.message || fragment.at != expected.at) {
    return makeError(ErrorCode::remoteError,
                     "protocol: byte {} of message {} came where byte {} of message {} should be", fragment.at,
                     fragment.message, expected.at, expected.message);
  }
  if (fragment.at == 0) {
    ATOLL_TRY(sameMessage({expected.me, expected.messageBytes, expected.call},
                          {expected.peer, fragment.messageBytes, fragment.call}));
  }
  const std::uint64_t bytes = fragment.header.bytes - sizeof fragment;
  const std::uint64_t most = expected.messageBytes > kMostEager ? 0 : expected.messageBytes - expected.at;
  if (fragment.messageBytes != expected.messageBytes || bytes > most || (bytes == 0) != (most == 0)) {
    return makeError(ErrorCode::remoteError, "protocol: {} bytes came at {} of a message of {}", bytes, fragment.at,
                     expected.messageBytes);
  }
  return success();
}

}  // namespace atl::rdma
