// SPDX-License-Identifier: Apache-2.0
// What travels over the connections of a TCP link besides the payload. All numbers are little-endian, as is every
// machine that the bootstrap lets in.
//
//   connection 0:   Greeting, then for each message a Header and this connection's blocks of the payload
//   the others:     their blocks of each message's payload, nothing else
//
// Block b of a payload (kBlockBytes each, the last one shorter) travels on connection b mod connections. That depends
// on nothing but the message, so that each end may cut it into pieces as it likes; and blocks take turns rather than
// the connections halves, so that the front of a message is complete first and can be worked on while the rest is under
// way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "src/base/call_record.h"
#include "src/base/result.h"
#include "transports/same_message.h"

namespace atl::tcp {

inline constexpr std::uint64_t kBlockBytes = 128 << 10;
inline constexpr int kMaxConnections = 16;
inline constexpr std::uint16_t kVersion = 1;

/// First thing each way on connection 0. Both ends then use the smaller of the two numbers of connections.
struct Greeting {
  static constexpr std::uint32_t kMagic = 0x474c5441;  // "ATLG" in memory
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  std::uint16_t connections = 0;
};
static_assert(sizeof(Greeting) == 8 && std::has_unique_object_representations_v<Greeting>);

/// Before each message.
struct Header {
  static constexpr std::uint32_t kMagic = 0x484c5441;  // "ATLH" in memory
  std::uint32_t magic = kMagic;
  std::uint32_t reserved = 0;
  std::uint64_t message = 0;  ///< its number on this link and in this direction, from 1
  std::uint64_t bytes = 0;    ///< of payload
  CallRecord call;
};
static_assert(sizeof(Header) == 56 && std::has_unique_object_representations_v<Header>);

/// Number of connections that both ends use: at least 1. An error if this is no greeting, or one of another version.
Result<int> connectionsAgreed(const Greeting& theirs, int mine);

using Expectation = ExpectedMessage;

/// An error if the header is malformed or of another message (remoteError, "protocol: …"), or announces another call or
/// another size than expected (mismatch, naming both calls).
Status check(const Header& header, const Expectation& expected);

}  // namespace atl::tcp
