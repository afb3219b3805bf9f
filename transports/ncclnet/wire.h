// SPDX-License-Identifier: Apache-2.0
// What two ends of a link over a plug-in tell each other: a greeting over a stream of the bootstrap, with the handle by
// which the plug-in connects, then messages.
//
// A message is a header, behind it in the same send the whole payload if it is small; else the payload follows in
// blocks, one send each, at the multiples of the agreed size. So both ends know all sizes beforehand, whatever pieces
// they cut a message into: a plug-in matches sends and receives by their order alone.
//
// A receiver asks for the header when it has been given a place for the message, and for blocks only when the header
// has been found right: what is wrong never comes to the caller's memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "src/base/call_record.h"
#include "src/base/result.h"
#include "transports/ncclnet/abi.h"
#include "transports/same_message.h"

namespace atl::ncclnet {

inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::uint64_t kBlockBytes = 256 << 10;  ///< unless a plug-in can take less at a time
inline constexpr std::uint64_t kLeastBlockBytes = 4 << 10;
inline constexpr std::size_t kSlotBytes = 2048;  ///< of a header with its payload

/// The only thing on the stream, each way.
struct Greeting {
  static constexpr std::uint32_t kMagic = 0x4e4c5441;  // "ATLN" in memory
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  std::uint16_t reserved = 0;
  std::uint64_t blockBytes = kBlockBytes;  ///< most that the sender of this can take; the smaller is used
  std::array<char, 64> plugin{};           ///< its name, cut off, behind it zeros: handles mean nothing to another
  std::array<std::byte, kHandleBytes> handle{};
};
static_assert(sizeof(Greeting) == 208 && std::has_unique_object_representations_v<Greeting>);

struct Header {
  static constexpr std::uint32_t kMagic = 0x4d4c5441;  // "ATLM" in memory
  std::uint32_t magic = kMagic;
  std::uint32_t reserved = 0;
  std::uint64_t message = 0;  ///< its number on this link in this direction, from 1
  std::uint64_t bytes = 0;    ///< of payload
  CallRecord call;
};
static_assert(sizeof(Header) == 56 && std::has_unique_object_representations_v<Header>);

/// Payload that travels with its header.
inline constexpr std::uint64_t kInlineBytes = kSlotBytes - sizeof(Header);

/// The greeting of an end whose plug-in has this name, and takes so much at a time.
Greeting greetingOf(std::string_view plugin, std::size_t mostBytes);

/// The size of blocks that both ends use. An error if this is no greeting, one of another version or plug-in, or one
/// with an impossible size.
Result<std::uint64_t> agreedBlock(const Greeting& theirs, const Greeting& mine);

using Expectation = ExpectedMessage;

/// An error if what came, of `came` bytes in all, is malformed or belongs to another message (remoteError, "protocol:
/// …"), or announces another call or size than expected (mismatch, naming both calls).
Status check(const Header& header, std::size_t came, const Expectation& expected);

}  // namespace atl::ncclnet
