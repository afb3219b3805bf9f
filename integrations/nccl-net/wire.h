// SPDX-License-Identifier: Apache-2.0
// What goes between two plug-ins: the handle, by NCCL's own means, from which a sender learns where the receiver is;
// then, on a link of a transport of Atoll's, a header before each message.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "src/base/result.h"
#include "src/bootstrap/directory.h"
#include "transports/ncclnet/abi.h"

namespace atl::netplugin {

inline constexpr std::uint16_t kVersion = 1;

/// Of the receiver. It lets whoever has it connect: NCCL hands it to the sender only.
struct Handle {
  static constexpr std::uint32_t kMagic = 0x504c5441;  // "ATLP" in memory
  static constexpr std::size_t kMostAddresses = 2;
  struct Address {
    std::array<std::uint8_t, 16> ip{};
    std::uint16_t port = 0;
    std::uint16_t scope = 0;
  };
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  std::uint8_t transport = 0;  ///< its place among kTransportNames
  std::uint8_t addressCount = 0;
  std::uint64_t connection = 0;  ///< a number of its own
  std::uint64_t host = 0;        ///< as in ProcessInfo
  std::uint64_t localName = 0;   ///< of the local socket there
  Secret secret{};
  std::array<Address, kMostAddresses> addresses{};
  std::int32_t pid = 0;
  std::uint32_t reserved = 0;
  std::uint64_t attempt = 0;  ///< the sender's own note, by which it knows the handle again; 0 when it comes
  std::array<std::uint8_t, 8> unused{};
};
static_assert(sizeof(Handle) == ncclnet::kHandleBytes && std::has_unique_object_representations_v<Handle>);

/// The handle of a connection to this process.
Handle handleOf(const ProcessInfo& process, std::uint64_t localName, std::string_view transport,
                std::uint64_t connection, const Secret& secret);

/// The receiver, as the handle says. An error if it is none, of another version, or of another transport than this
/// process's.
Result<ProcessInfo> receiverOf(const Handle& handle, std::string_view transport);

struct Header {
  static constexpr std::uint32_t kMagic = 0x534c5441;  // "ATLS" in memory
  std::uint32_t magic = kMagic;
  std::int32_t tag = 0;
  std::uint64_t bytes = 0;  ///< of payload, which follows as a message of its own unless it is empty
};
static_assert(sizeof(Header) == 16 && std::has_unique_object_representations_v<Header>);

/// An error if it is none (remoteError), or if the message does not fit what is expected (invalidUsage).
Status check(const Header& header, std::uint64_t room, int tag);

}  // namespace atl::netplugin
