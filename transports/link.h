// SPDX-License-Identifier: Apache-2.0
// Links: what a transport gives. A link joins me to one peer on one lane of one communicator, and carries messages in
// order, each way. There are two families.
//
//   MemoryLink   I can load and store memory that the peer sees. Messages are announced in a mailbox of flagged slots;
//   small
//                ones travel inside the slot, larger ones by reference (a bounce slot of the sender's Outbox, or, in
//                the same process, the sender's own buffer). The host executor works the mailbox itself: no virtual
//                call.
//   MessageLink  Bytes are posted and polled: TCP, RDMA, UCX.
//
// A link is used by one thread at a time (the one that runs the communicator's current call). No link starts a thread.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "src/base/call_record.h"
#include "src/base/result.h"
#include "src/base/types.h"
#include "transports/bell.h"
#include "transports/shareable_memory.h"

namespace atl {

class PeerMemory;

// ---- memory links
// ----------------------------------------------------------------------------------------------------

/// Two lines: hardware prefetches lines in pairs, and Open MPI and others found 128 bytes to be what keeps writers
/// apart.
inline constexpr std::size_t kApart = 128;
/// Messages under way in one direction; a power of two. Where ranks share cores, a rank that only sends fills them
/// before it gives up its core, so the more there are the fewer turns it takes.
inline constexpr std::size_t kMailSlots = 32;
inline constexpr std::size_t kInlineBytes = 112;  ///< payload that fits a slot
/// A message of up to this size is cut over slots rather than referred to: reading a few lines that follow each other
/// is faster than finding a line that says where the others are.
inline constexpr std::size_t kSmallBytes = 4 * kInlineBytes;
static_assert(kSmallBytes <= kMailSlots * kInlineBytes, "a small message must fit a mailbox");
/// From here on a message in shareable memory is read in place; a shorter one is copied sooner than it is found.
inline constexpr std::size_t kLeastShared = 1024;
/// Kinds of bounced messages between which the better way to copy differs; see src/exec/host/bounce_copy.h.
inline constexpr std::size_t kCopyClasses = 5;

/// How the payload of a mailbox message is to be found.
enum class MailKind : std::uint8_t {
  inlined = 1,    ///< in the slot
  bounced = 2,    ///< `where` is an offset into the sender's Outbox
  direct = 3,     ///< `where` is an address in the sender's address space, which is mine too
  shared = 4,     ///< in shareable memory of the sender's, which I can map
  delivered = 5,  ///< where the receiver wants it: the sender wrote it to the place that a message of the receiver's
                  ///< offered
};

/// One message. The sender fills everything else first and stores `flag` last (release); the receiver loads `flag`
/// (acquire).
struct alignas(kApart) MailSlot {
  /// Message number m (from 1) in the high 32 bits, MailKind in bits 24–31, and in the low 24 the inline length, or for
  /// a bounced message what the two ends tell each other of its copy. The slot of message m is m mod kMailSlots, and it
  /// is present when the high half equals m (mod 2^32).
  std::atomic<std::uint64_t> flag;
  std::uint64_t tag;  ///< of the sender's call, or 0 when checking is off
  union Payload {
    std::byte bytes[kInlineBytes];
    struct Reference {
      std::uint64_t where;  ///< delivered: unused
      std::uint64_t bytes;
      std::uint64_t offer;   ///< direct: as below, an address, or 0
      std::uint64_t answer;  ///< direct: as below
    } reference;
    /// The sender may offer a place of as many bytes, which it does not look at until a message of the receiver's
    /// comes: the receiver may write that message there, and announce it as delivered.
    struct SharedReference {
      SharedPlace place;
      std::uint64_t bytes;
      SharedPlace offer;     ///< area 0: none
      std::uint64_t answer;  ///< which message it is: the number of those before it from the receiver in this run of
                             ///< the lane's program
    } shared;
  } payload;
};
static_assert(sizeof(MailSlot) == kApart);

/// Kinds of calls that a mailbox's writer made, so that a reader can say what a message with an unexpected tag belongs
/// to. The writer puts in what is new to it, over the oldest. Read while being written it may give a mixture, never a
/// torn word; the reader tells by the tag.
class PublishedCalls {
 public:
  static constexpr std::size_t kEntries = 8;

  void publish(const CallRecord& record, std::size_t entry) {
    std::uint64_t words[kWords];
    std::memcpy(words, &record, sizeof record);
    for (std::size_t i = 0; i < kWords; ++i) words_[entry][i].store(words[i], std::memory_order_relaxed);
  }
  /// The call whose tag is `tag`, if a call of its kind is still here.
  [[nodiscard]] std::optional<CallRecord> find(std::uint64_t tag) const {
    for (const auto& entry : words_) {
      std::uint64_t words[kWords];
      for (std::size_t i = 0; i < kWords; ++i) words[i] = entry[i].load(std::memory_order_relaxed);
      CallRecord record;
      std::memcpy(&record, words, sizeof record);
      const std::uint64_t sequence = tag - tagBaseOf(record);
      if (sequence - record.sequence >= kMostCalls) continue;  // also where the record is the later one, or another
      record.sequence = sequence;
      return record;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kWords = sizeof(CallRecord) / sizeof(std::uint64_t);
  /// After so many calls a kind would not be recognised; two hashes are that close by chance once in millions.
  static constexpr std::uint64_t kMostCalls = std::uint64_t{1} << 40;
  std::atomic<std::uint64_t> words_[kEntries][kWords];
};

/// One direction of a memory link. All zero is the valid initial state.
struct Mailbox {
  MailSlot slots[kMailSlots];
  /// Messages that the receiver has done with; it alone writes. The sender may reuse slot and payload of those.
  alignas(kApart) std::atomic<std::uint64_t> consumed;
  /// Set by the receiver when, after a failure, it will look at no further message nor at any memory that one refers
  /// to.
  std::atomic<std::uint32_t> ended;
  /// Set by the receiver if it can map the sender's shareable memory: messages may refer to it from then on.
  std::atomic<std::uint32_t> followsShared;
  /// Set by the receiver when it waits for long: the core that it runs on, counted from 1; 0: not yet.
  std::atomic<std::uint32_t> core;
  /// Set by the receiver: what reading a bounced message of each class costs it, in ps a byte, if the sender
  /// wrote it through its cache ([0]) or around it ([1]); 0: unknown.
  std::atomic<std::uint32_t> readCost[kCopyClasses][2];
  /// The receiver's: the writer of `slots` rings it.
  alignas(kApart) Bell bell;
  /// What the writer of `slots` called; read by the other side only to word a mismatch.
  alignas(kApart) PublishedCalls calls;
};

/// What two ranks share for one lane: fits three pages.
struct MailRegion {
  Mailbox fromLower;   ///< messages of the lower rank to the higher
  Mailbox fromHigher;  ///< and back
};
static_assert(sizeof(MailRegion) <= 12288);

/// A memory link as the executor uses it.
struct MemoryLink {
  Mailbox* out = nullptr;
  Mailbox* in = nullptr;
  bool sameProcess = false;               ///< direct references may be sent and followed
  const std::byte* peerOutbox = nullptr;  ///< where the peer's Outbox is mapped here; null while sameProcess
  std::size_t peerOutboxBytes = 0;        ///< bound for `where` + `bytes` of a bounced message
  PeerMemory* peerMemory = nullptr;       ///< for what the peer shares; null where it cannot be mapped
  std::shared_ptr<void> keepAlive;        ///< the mappings

  // The executor's own counters; no one else touches them.
  std::uint64_t sent = 0;           ///< messages posted
  std::uint64_t received = 0;       ///< messages taken
  std::uint64_t knownConsumed = 0;  ///< last value seen of out->consumed
  /// The areas of the peer's last seen, by number.
  struct KnownArea {
    std::uint64_t number = 0;
    std::span<std::byte> memory;
  };
  KnownArea knownAreas[4];
  /// Tag bases of the calls that out->calls holds, and the entry last used.
  std::uint64_t published[PublishedCalls::kEntries] = {};
  std::size_t lastPublished = 0;
};

// ---- message links
// ---------------------------------------------------------------------------------------------------

/// A piece of an outgoing message, owned by the caller until `done`. A message is one or more pieces posted in order;
/// the first carries the header.
struct SendPiece {
  const void* data = nullptr;
  std::size_t bytes = 0;
  bool first = false;              ///< begins a message …
  std::uint64_t messageBytes = 0;  ///< … of this size in all …
  CallRecord call;                 ///< … belonging to this call
  bool done = false;               ///< set by post() or progress(): `data` may be reused
  SendPiece* next = nullptr;       ///< this and the rest: the link's own, until done
  std::uint64_t at = 0;            ///< where in its message the piece begins
  std::uint64_t left = 0;          ///< bytes still to move, and one for the header where the piece has it
};

/// Room for a piece of an incoming message, likewise. The receiver may cut a message into other pieces than the sender
/// did.
struct ReceivePiece {
  void* data = nullptr;
  std::size_t bytes = 0;
  bool first = false;
  std::uint64_t messageBytes = 0;  ///< what the call expects; another size on the wire is a mismatch
  CallRecord call;                 ///< my call; another one on the wire is a mismatch (when checked)
  bool done = false;
  ReceivePiece* next = nullptr;
  std::uint64_t at = 0;
  std::uint64_t left = 0;
};

class MessageLink {
 public:
  virtual ~MessageLink() = default;

  /// Queue a piece, whose `done` is false. Never blocks, allocates or fails; failures show in progress(). Small pieces
  /// may leave at once. A message may be of zero bytes: one first piece of none. The pieces of a message are all posted
  /// before the next message's. Calls are compared when both ends give a record whose sequence is not 0.
  virtual void post(SendPiece& piece) = 0;
  virtual void post(ReceivePiece& piece) = 0;

  /// Moves whatever can move without blocking and marks pieces done. True if anything moved. An error is final for the
  /// link: remoteError names the peer and what happened, mismatch names both calls.
  virtual Result<bool> progress() = 0;

  /// Adds what to poll(2) for so that progress() would move something; for long waits.
  virtual void wanted(std::vector<pollfd>& fds) const = 0;

  /// The size of the receive pieces that suit it: one that begins at a multiple of this in its message, and is of this
  /// size or ends the message, is filled without a stop in between.
  [[nodiscard]] virtual std::size_t suitedPiece() const { return 64 << 10; }

  /// One line for logs: "tcp 10.0.0.1:41000 → 10.0.0.2:39000 ×2 cubic".
  [[nodiscard]] virtual std::string describe() const = 0;

  /// Takes back every queued piece; the link is then good for nothing but destruction. After an abort.
  virtual void cancel() = 0;
};

using Link = std::variant<MemoryLink, std::unique_ptr<MessageLink>>;

}  // namespace atl
