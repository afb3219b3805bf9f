// SPDX-License-Identifier: Apache-2.0
// What goes over the wire, between queue pairs of one process and of several.
#pragma once

#include <infiniband/verbs.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace fakeverbs {

enum class PacketKind : std::uint8_t {
  request,
  acknowledgement,  ///< of all packets up to `psn`
  notReady,         ///< there is no receive for the packet `psn`; all before are acknowledged
  refusal,          ///< of the packet `psn`, with `status`; all before are acknowledged
  readData,
  /// No packet of a real wire: the fake tells the sender that a packet was lost, so that nothing depends on how fast a
  /// machine is. No fault stops it.
  lossNotice,
  processEnded  ///< stays in the process: the one that has queue pairs from `sourceQp` on is no more
};

/// The end of a path, as a packet names it.
struct Address {
  ibv_gid gid{};
  std::uint32_t gidType = 0;
  std::uint16_t lid = 0;
  std::uint8_t global = 0;  ///< by GID, else by LID
};

/// Numbers in the machine's order: both ends are on it.
struct Header {
  PacketKind kind{};
  std::uint8_t opcode = 0;  ///< ibv_wr_opcode
  std::uint8_t first = 0;   ///< packet of its message
  std::uint8_t last = 0;
  std::uint8_t wantsAcknowledgement = 0;
  std::uint8_t solicited = 0;
  std::uint8_t status = 0;  ///< ibv_wc_status
  std::int32_t network = 0;
  Address source;
  Address destination;
  std::uint32_t sourceQp = 0;
  std::uint32_t destinationQp = 0;
  std::uint32_t psn = 0;
  std::uint32_t count = 1;    ///< packet numbers that a request takes: more than one where it reads
  std::uint32_t attempt = 0;  ///< of the requester; answers repeat it
  std::uint32_t immediate = 0;
  std::uint32_t rkey = 0;
  std::uint64_t remoteAddress = 0;  ///< of this packet's part
  std::uint32_t offset = 0;         ///< of this packet's part in the message
  std::uint32_t length = 0;         ///< of this packet's part; of what is to be read
  std::uint32_t messageLength = 0;
};
static_assert(std::is_trivially_copyable_v<Header>);

struct Packet {
  Header header;
  std::vector<std::byte> payload;
};

/// Packet numbers have 24 bits.
constexpr std::uint32_t kPsnMask = 0xffffff;

/// How far `later` is after `earlier`: negative when it is before.
inline int psnDistance(std::uint32_t earlier, std::uint32_t later) {
  const std::uint32_t difference = (later - earlier) & kPsnMask;
  return difference < 0x800000 ? static_cast<int>(difference) : static_cast<int>(difference) - 0x1000000;
}

inline std::uint32_t psnAfter(std::uint32_t psn, int steps) {
  return (psn + static_cast<std::uint32_t>(steps)) & kPsnMask;
}

}  // namespace fakeverbs
