// SPDX-License-Identifier: Apache-2.0
// What two ranks share on one lane, where both can load and store each other's memory: GPUs with peer access, and the
// ranks of one GPU.
//
// A link carries messages in order, each way, cut into numbered pieces. Piece m (from 1) goes through place m mod
// kMails, in one of three ways that the sender chooses:
//   packets  small messages. Words of 32 bits of the data travel with 32 bits of flag, which is m: they need no order
//            among each other, so the receiver has them one way after they are stored. Two words in front bear the tag.
//   slot     the data is written to the receiver's slot, then its mail.
//   place    nothing is copied: the mail says where the data lies in the sender's memory. The sender may change it when
//            the piece is consumed.
// Where hosts stand between the two (staging.h) there are slots only: how far a run of packets goes the receiver knows,
// and nobody on the way.
//
// A place is free again when the receiver has consumed the piece; it says so in the sender's memory. So each side polls
// its own memory only.
//
// Everything here is plain bytes, reached by a Space's loads and stores (space.h). All zero is the valid beginning.
#pragma once

#include <cstddef>
#include <cstdint>

namespace atl::device {

/// Pieces under way each way on a link; a power of two.
inline constexpr std::uint64_t kMails = 8;

/// What goes between neighbours without either waiting for the other's line.
inline constexpr std::size_t kApart = 128;

/// One word with its flag, which are stored and loaded as one: flag in the high half.
using Packet = std::uint64_t;

/// Packets in front of a piece's data: the tag's low and high half.
inline constexpr std::uint64_t kTagPackets = 2;

constexpr Packet packetOf(std::uint32_t data, std::uint64_t number) {
  return static_cast<Packet>(static_cast<std::uint32_t>(number)) << 32 | data;
}
constexpr std::uint32_t flagOf(Packet packet) {
  return static_cast<std::uint32_t>(packet >> 32);
}
constexpr std::uint32_t dataOf(Packet packet) {
  return static_cast<std::uint32_t>(packet);
}
/// Packets of a piece of so many bytes.
constexpr std::uint64_t packetsOf(std::uint64_t bytes) {
  return kTagPackets + (bytes + 3) / 4;
}

/// Announces a piece. The sender stores `number` last, with release.
struct alignas(32) Mail {
  std::uint64_t number;  ///< of the piece; 0: nothing came yet
  std::uint64_t place;   ///< the data's address; 0: in the slot
  std::uint64_t bytes;
  std::uint64_t tag;
};

/// In a rank's own memory; the peer writes it.
struct Region {
  Mail mails[kMails];
  alignas(kApart) std::uint64_t consumed;  ///< pieces of this rank that the peer has done with
};

/// What a rank alone knows of a link, kept from call to call.
struct LinkState {
  std::uint64_t sent = 0;      ///< pieces
  std::uint64_t received = 0;  ///< pieces that were consumed
  // Messages of one round take turns in the order of the steps.
  std::uint64_t sendsBegun = 0;
  std::uint64_t sendsOver = 0;
  std::uint64_t receivesBegun = 0;
  std::uint64_t receivesOver = 0;
};

/// One end of a link.
struct Link {
  Region* here = nullptr;
  Region* there = nullptr;         ///< the peer's `here`, as this rank sees it
  Packet* packetsHere = nullptr;   ///< kMails runs of packetsOf(Program::packetBytes) …
  Packet* packetsThere = nullptr;  ///< … and the peer's; both null: none go this way
  std::byte* slotsHere = nullptr;  ///< kMails slots of Program::slotBytes, 16-byte aligned …
  std::byte* slotsThere = nullptr;
  LinkState* state = nullptr;
  std::int32_t peer = 0;
  bool sharesAddresses = false;  ///< the peer can read this rank's buffers where they are
};

}  // namespace atl::device
