// SPDX-License-Identifier: Apache-2.0
// The protocol of a memory link's mailbox: one store and one load each way for a small message. See transports/link.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

#include "transports/link.h"
#include "transports/peer_memory.h"

namespace atl::exec {

inline constexpr std::uint64_t kInlineLengthMask = 0xffffff;

/// Whether fewer than `limit` messages are under way, so that another may be posted. Looks at the peer's line only when
/// what it knows does not suffice.
inline bool canPost(MemoryLink& link, std::uint64_t limit = kMailSlots) {
  if (link.sent - link.knownConsumed < limit) return true;
  link.knownConsumed = link.out->consumed.load(std::memory_order_acquire);
  return link.sent - link.knownConsumed < limit;
}

/// Whether the peer has done with message number `message`.
inline bool consumed(MemoryLink& link, std::uint64_t message) {
  if (link.knownConsumed >= message) return true;
  link.knownConsumed = link.out->consumed.load(std::memory_order_acquire);
  return link.knownConsumed >= message;
}

inline std::uint64_t flagOf(std::uint64_t message, MailKind kind, std::size_t low) {
  return message << 32 | static_cast<std::uint64_t>(kind) << 24 | low;
}

/// Posts the next message: `fill` writes the payload, the flag is stored last. Returns the message's number. canPost()
/// must hold, as for the others.
template <typename Fill>
std::uint64_t post(MemoryLink& link, std::uint64_t tag, MailKind kind, std::size_t low, Fill fill) {
  const std::uint64_t message = ++link.sent;
  MailSlot& slot = link.out->slots[message % kMailSlots];
  slot.tag = tag;
  fill(slot.payload);
  slot.flag.store(flagOf(message, kind, low), std::memory_order_release);
  ring(link.out->bell);
  return message;
}

/// Posts up to kInlineBytes inside the slot.
inline void postInline(MemoryLink& link, std::uint64_t tag, const void* data, std::size_t bytes) {
  post(link, tag, MailKind::inlined, bytes, [&](MailSlot::Payload& payload) {
    if (bytes > 0) std::memcpy(payload.bytes, data, bytes);
  });
}

/// Posts a bounced message of `bytes` at `offset` of the Outbox.
inline std::uint64_t postBounced(MemoryLink& link, std::uint64_t tag, std::uint64_t offset, std::uint64_t bytes,
                                 std::uint32_t marks = 0) {
  return post(link, tag, MailKind::bounced, marks, [&](MailSlot::Payload& payload) {
    payload.reference = {offset, bytes, 0, 0};
  });
}

/// Posts a reference to `bytes` of this process. The address `offer` is where the peer may put its message number
/// `answer`; null: nowhere.
inline std::uint64_t postDirect(MemoryLink& link, std::uint64_t tag, const std::byte* data, std::uint64_t bytes,
                                std::byte* offer = nullptr, std::uint64_t answer = 0) {
  return post(link, tag, MailKind::direct, 0, [&](MailSlot::Payload& payload) {
    payload.reference = {reinterpret_cast<std::uintptr_t>(data), bytes, reinterpret_cast<std::uintptr_t>(offer),
                         answer};
  });
}

/// The same for a place in shareable memory; an offer of area 0 is none.
inline std::uint64_t postShared(MemoryLink& link, std::uint64_t tag, const SharedPlace& place, std::uint64_t bytes,
                                const SharedPlace& offer = {}, std::uint64_t answer = 0) {
  return post(link, tag, MailKind::shared, 0, [&](MailSlot::Payload& payload) {
    payload.shared = {place, bytes, offer, answer};
  });
}

/// Says of the next `bytes` of a message that they are where the peer offered a place for them.
inline void postDelivered(MemoryLink& link, std::uint64_t tag, std::uint64_t bytes) {
  post(link, tag, MailKind::delivered, 0, [&](MailSlot::Payload& payload) { payload.reference = {0, bytes, 0, 0}; });
}

/// Lets the peer find out what messages with the tag of this call belong to. Costs a comparison where a call of the
/// kind went this way not long ago.
inline void announce(MemoryLink& link, const TaggedCall& call) {
  if (link.published[link.lastPublished] == call.base) return;
  const auto known = std::ranges::find(link.published, call.base);
  if (known != std::end(link.published)) {
    link.lastPublished = static_cast<std::size_t>(known - std::begin(link.published));
    return;
  }
  link.lastPublished = (link.lastPublished + 1) % PublishedCalls::kEntries;
  link.published[link.lastPublished] = call.base;
  link.out->calls.publish(call, link.lastPublished);
}

/// Where `bytes` of the peer's shareable memory lie here. `place` is a copy of what the peer wrote.
inline Result<std::byte*> follow(MemoryLink& link, const SharedPlace& place, std::uint64_t bytes) {
  const auto malformed = [] { return makeError(ErrorCode::remoteError, "a malformed reference to shared memory"); };
  if (link.peerMemory == nullptr) return malformed();
  auto& known = link.knownAreas[place.area % std::size(link.knownAreas)];
  if (known.number != place.area) {
    ATOLL_ASSIGN(known.memory, link.peerMemory->area(place));
    known.number = place.area;
  }
  if (place.offset > known.memory.size() || bytes > known.memory.size() - place.offset) return malformed();
  return known.memory.data() + place.offset;
}

/// The next message, or the one `ahead` after it, if it is there, else null. It stays valid until release().
inline const MailSlot* peek(const MemoryLink& link, std::uint64_t ahead = 0) {
  const std::uint64_t message = link.received + 1 + ahead;
  const MailSlot& slot = link.in->slots[message % kMailSlots];
  const std::uint64_t flag = slot.flag.load(std::memory_order_acquire);
  return static_cast<std::uint32_t>(flag >> 32) == static_cast<std::uint32_t>(message) ? &slot : nullptr;
}

/// Whether a message is all in its slot, and of so many bytes.
inline bool isInlined(const MailSlot& slot, std::size_t bytes) {
  return (slot.flag.load(std::memory_order_relaxed) & 0xffffffff) == flagOf(0, MailKind::inlined, bytes);
}

/// Whether a message belongs to another call than the one with this tag. Either end may have its checks off: no tag.
inline bool isOfAnotherCall(const MailSlot& slot, std::uint64_t tag) {
  return tag != 0 && slot.tag != 0 && slot.tag != tag;
}

/// Brings the line of the next message nearer. Only where the peer is ahead of this rank: it may be there already, or
/// else the peer would have to take the line back to write it.
inline void fetchAhead(const MemoryLink& link) {
  __builtin_prefetch(&link.in->slots[(link.received + 1) % kMailSlots]);
}

/// Gives slots, and what they refer to, back to the sender.
inline void release(MemoryLink& link, std::uint64_t messages = 1) {
  link.received += messages;
  link.in->consumed.store(link.received, std::memory_order_release);
  ring(link.out->bell);
}

}  // namespace atl::exec
