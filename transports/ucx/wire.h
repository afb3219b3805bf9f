// SPDX-License-Identifier: Apache-2.0
// What two ends of a UCX link tell each other: a greeting and a worker's address over a stream of the bootstrap, then
// active messages, each with a header.
//
// A message travels as fragments: its bytes, cut wherever the sender's pieces end and at the multiples of kBlockBytes.
// A fragment is one active message. Its number is its place in the order of the link, and the receiver goes by that
// alone: UCX promises no order among active messages. In practice short ones arrive in order, while a fragment that is
// announced first may be there last, and one that is spread over several lanes of an endpoint can be overtaken by a
// short one behind it.
//
// Credits: a sender is at most kWindow fragments, and with small ones at most kEagerAhead bytes, ahead of what the
// receiver has found a place for. So the receiver keeps its fragments in a table of that size, and UCX holds no more
// than that of messages that nobody has asked for yet. All others wait at the sender (UCX's rendezvous), and are done
// there when the receiver has confirmed that they are in their places. That UCX has done with one is not enough: its
// bytes may be in a socket, or in a queue in the receiver's memory, and are given up there if the sender's end is
// closed, or its process ends, before the receiver has taken them out.
//
// That bound also makes it safe to be told earlier that a small one is done. Over TCP, UCX calls a message sent that it
// has copied, though the socket may have been full; it would then stay in this process until this end comes back to
// UCX, which it may not do for long. What is below the bound finds room in any socket's buffers. Other transports of
// UCX call nothing sent that is not with the device or in the receiver's memory. (To flush the endpoint would be the
// other way to know, but over TCP, UCX answers a flush only when the peer makes progress too.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "src/base/call_record.h"
#include "src/base/result.h"

namespace atl::ucx {

inline constexpr std::uint16_t kVersion = 2;
inline constexpr std::uint64_t kBlockBytes = 1 << 20;  ///< a quarter of it was up to a fifth slower over tcp
inline constexpr std::uint64_t kWindow = 32;           ///< a power of two
/// Up to this size UCX may send a fragment before the receiver has asked for it; it decides (UCX_RNDV_THRESH).
inline constexpr std::uint64_t kMostEager = 8 << 10;
inline constexpr std::uint64_t kEagerAhead = 32 << 10;  ///< a socket takes twice that, unread, by default
/// The address of a worker with all transports that UCX knows over many devices takes a few KiB.
inline constexpr std::uint32_t kMostAddressBytes = 64 << 10;

/// Numbers of active messages.
inline constexpr unsigned kFragmentId = 1;
inline constexpr unsigned kCreditId = 2;
inline constexpr unsigned kHelloId = 3;

/// First on the stream, each way; then the address.
struct Greeting {
  static constexpr std::uint32_t kMagic = 0x554c5441;  // "ATLU" in memory
  std::uint32_t magic = kMagic;
  std::uint16_t version = kVersion;
  std::uint16_t reserved = 0;
  std::uint32_t link = 0;  ///< how the receiver of this is to address what it sends
  std::uint32_t addressBytes = 0;
};
static_assert(sizeof(Greeting) == 16 && std::has_unique_object_representations_v<Greeting>);

/// Header of an active message of kFragmentId.
struct FragmentHeader {
  std::uint32_t link = 0;          ///< the receiver's number of it
  std::uint32_t confirm = 0;       ///< 1: the receiver is to say when it has arrived
  std::uint64_t number = 0;        ///< of the fragment on this link in this direction, from 0
  std::uint64_t message = 0;       ///< that it is of, from 1
  std::uint64_t messageBytes = 0;  ///< size of that
  std::uint64_t at = 0;            ///< where in it the fragment begins
  std::uint64_t bytes = 0;         ///< of the fragment; 0 only in a message of none
  CallRecord call;                 ///< that the message belongs to; counts in the fragment that begins it
};
static_assert(sizeof(FragmentHeader) == 80 && std::has_unique_object_representations_v<FragmentHeader>);

/// Header of an active message of kCreditId, which has no payload.
struct CreditHeader {
  std::uint32_t link = 0;
  std::uint32_t reserved = 0;
  std::uint64_t taken = 0;    ///< fragments that have found a place, since the link began
  std::uint64_t arrived = 0;  ///< so many of them, from the first on, are there
};
static_assert(sizeof(CreditHeader) == 24 && std::has_unique_object_representations_v<CreditHeader>);

/// Header of an active message of kHelloId, which has no payload (meeting.h).
struct HelloHeader {
  enum class Word : std::uint32_t { here = 1, able = 2 };
  std::uint32_t link = 0;
  Word word = Word::here;
};
static_assert(sizeof(HelloHeader) == 8 && std::has_unique_object_representations_v<HelloHeader>);

/// An error if this is no greeting, one of another version, or its address is of an impossible size.
Status check(const Greeting& theirs);

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
Status check(const FragmentHeader& header, const Expectation& expected);

}  // namespace atl::ucx
