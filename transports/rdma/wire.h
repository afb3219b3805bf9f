// SPDX-License-Identifier: Apache-2.0
// What two ends of an RDMA link tell each other: over a stream of the bootstrap, which stays open as long as the link,
// how their queue pairs are joined and what has become of them; between the queue pairs, everything else.
//
// A note is a SEND into one of the receiver's shared slots: a header, and a small payload behind it. A message of up to
// kMostEager bytes travels in notes, one for each piece of the sender's. A larger one is announced by a note without
// payload. Its bytes go straight to where the receiver wants them: for every part of it the receiver gives a grant (an
// address, a key, a size), as soon as it knows where the part is to go and whether or not the message has been
// announced; the sender writes to it, in one RDMA write with immediate or in several, as its own pieces come. In place
// of one it may use a plain write, and then one of no bytes with the immediate.
//
// Credits: a sender is at most kWindow fragments (notes of messages) ahead of what the receiver has taken. Grants are
// at most kGrants at a time. So what a receiver must hold for a link is bounded, and nothing is written that has no
// place to go.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "src/base/call_record.h"
#include "src/base/result.h"

namespace atl::rdma {

inline constexpr std::uint16_t kVersion = 4;
inline constexpr std::uint64_t kSlotBytes = 2048;          ///< of a receiver's slot: a note
inline constexpr std::uint64_t kWindow = 16;               ///< fragments; a power of two
inline constexpr std::uint64_t kGrants = 4;                ///< a power of two
inline constexpr std::uint64_t kChunkBytes = 256 << 10;    ///< the largest grant into staging memory
inline constexpr std::uint64_t kMostGrantBytes = 8 << 20;  ///< the largest into registered memory
inline constexpr std::size_t kMostPaths = 8;               ///< queue pairs of a link
inline constexpr std::size_t kMostDevices = 8;             ///< of a rank

/// First in every note.
struct NoteHeader {
  /// A probe says nothing: that it arrives shows that a queue pair works.
  enum class Kind : std::uint16_t { fragment = 1, grant = 2, credit = 3, probe = 4 };
  Kind kind = Kind::credit;
  std::uint16_t reserved = 0;
  std::uint32_t bytes = 0;  ///< of the note, this header included
  std::uint64_t taken = 0;  ///< the sender's of this: fragments it has taken from the other, since the link began
};
static_assert(sizeof(NoteHeader) == 16 && std::has_unique_object_representations_v<NoteHeader>);

/// A note of a message. Its payload follows.
struct FragmentNote {
  NoteHeader header{.kind = NoteHeader::Kind::fragment};
  std::uint64_t number = 0;        ///< of the fragment on this link in this direction, from 0
  std::uint64_t message = 0;       ///< that it is of, from 1
  std::uint64_t messageBytes = 0;  ///< size of that; above kMostEager this note is its announcement
  std::uint64_t at = 0;            ///< where in it the payload begins
  CallRecord call;                 ///< that the message belongs to; counts in the note that begins it
};
static_assert(sizeof(FragmentNote) == 80 && std::has_unique_object_representations_v<FragmentNote>);

inline constexpr std::uint64_t kMostEager = kSlotBytes - sizeof(FragmentNote);

/// Where the receiver wants a part of a message.
struct GrantNote {
  NoteHeader header{.kind = NoteHeader::Kind::grant, .bytes = sizeof(GrantNote)};
  std::uint64_t number = 0;  ///< from 0
  std::uint64_t message = 0;
  std::uint64_t messageBytes = 0;
  std::uint64_t at = 0;                            ///< where in the message the part begins
  std::uint64_t bytes = 0;                         ///< of the part
  std::uint64_t address = 0;                       ///< in the receiver's memory
  std::array<std::uint32_t, kMostDevices> keys{};  ///< by the receiver's device; 0: none, or not yet
};
static_assert(sizeof(GrantNote) == 96 && std::has_unique_object_representations_v<GrantNote>);

/// The immediate of a write: so many more bytes have come for a grant. Grants under way differ in the low bits of their
/// numbers.
struct Arrival {
  std::uint64_t grant = 0;  ///< its number, modulo kGrants
  std::uint64_t bytes = 0;
};
[[nodiscard]] std::uint32_t immediateOf(const Arrival& arrival);
[[nodiscard]] Arrival arrivalOf(std::uint32_t immediate);

/// First on the stream, each way.
struct Greeting {
  static constexpr std::uint32_t kMagic = 0x524c5441;  // "ATLR" in memory
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  std::uint16_t paths = 0;  ///< that this end wants; there are as many as both do, and a stand-in for each
};
static_assert(sizeof(Greeting) == 8 && std::has_unique_object_representations_v<Greeting>);

/// One queue pair, as the other end needs it to connect its own.
struct PathOffer {
  std::array<std::uint8_t, 16> gid{};
  std::uint32_t queuePair = 0;
  std::uint32_t packetNumber = 0;  ///< of the first packet that comes from here
  std::uint16_t lid = 0;           ///< InfiniBand's address within its subnet; 0 on Ethernet
  std::uint8_t mtu = 0;            ///< as verbs.h numbers them
  std::uint8_t ethernet = 0;       ///< 1: RoCE
  std::uint8_t device = 0;         ///< which of a grant's keys holds on it
  std::array<std::uint8_t, 3> reserved{};
};
static_assert(sizeof(PathOffer) == 32 && std::has_unique_object_representations_v<PathOffer>);

/// On the stream, after the greetings and for as long as the link lives: how paths come and go (path_group.h).
struct Word {
  /// halted: nothing more is sent or taken by it. lost: after both ends have said that. leave: of a stand-in; nothing
  /// more comes by it, and all that came has arrived. key: GrantKey.
  enum class Kind : std::uint16_t { offer = 1, ready = 2, halted = 3, lost = 4, leave = 5, key = 6 };
  Kind kind = Kind::offer;
  std::uint16_t path = 0;        ///< its place in the link: homes first, then the stand-ins in the same order
  std::uint32_t generation = 0;  ///< the how many-th queue pair of that place, from 0
  /// halted: requests of this end's that are known to have arrived by it; lost: the other's that came by it, in all.
  std::uint64_t requests = 0;
  PathOffer offer;
};
static_assert(sizeof(Word) == 48 && std::has_unique_object_representations_v<Word>);

/// The key of a grant on a device that the receiver did not have when it gave it. It is said before any queue pair of
/// that device is offered, and may come before the grant does. As a word: grant is `requests`, device is `path`, key is
/// `generation`.
struct GrantKey {
  std::uint64_t grant = 0;  ///< its number
  std::size_t device = 0;
  std::uint32_t key = 0;
};
[[nodiscard]] Word wordOf(const GrantKey& key);
[[nodiscard]] GrantKey keyIn(const Word& word);

/// An error if this is no greeting, one of another version, or wants an impossible number of paths.
Status check(const Greeting& theirs);
/// An error if this is no word about one of so many places.
Status check(const Word& theirs, std::size_t places);

/// What the receiver expects of the next fragment in order.
struct Expectation {
  Rank me = 0;
  Rank peer = 0;
  std::uint64_t message = 0;
  std::uint64_t messageBytes = 0;
  std::uint64_t at = 0;
  CallRecord call;
};

/// An error if the fragment is not what comes next (remoteError, "protocol: …"), or begins a message of another call or
/// another size than expected (mismatch, naming both calls).
Status check(const FragmentNote& fragment, const Expectation& expected);

}  // namespace atl::rdma
