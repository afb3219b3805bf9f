// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/incoming.h"

#include <optional>

#include "src/exec/host/disagreement.h"
#include "src/exec/host/mail.h"

namespace atl::exec {
namespace {

/// The payload of a message that is not in its slot; nothing if the message makes no sense.
Result<std::optional<Window>> followed(const MailSlot& slot, MailKind kind, MemoryLink& link, const std::byte* home) {
  // Copies: the peer could change its mind between a check and a use.
  const auto reference = slot.payload.reference;
  std::optional<Window> window;
  switch (kind) {
    case MailKind::shared: {
      const auto [place, bytes, offer, answer] = slot.payload.shared;
      window = Window{nullptr, bytes, {}, nullptr, answer};
      ATOLL_ASSIGN(window->data, follow(link, place, bytes));
      if (offer.area != 0) {
        ATOLL_ASSIGN(window->offer, follow(link, offer, bytes));
      }
      break;
    }
    case MailKind::direct:
      if (!link.sameProcess) break;
      window = Window{reinterpret_cast<const std::byte*>(reference.where),
                      reference.bytes,
                      {},
                      reinterpret_cast<std::byte*>(reference.offer),
                      reference.answer};
      break;
    case MailKind::bounced:
      if (reference.where > link.peerOutboxBytes || reference.bytes > link.peerOutboxBytes - reference.where) break;
      window = Window{link.peerOutbox + reference.where, reference.bytes,
                      CopyMarks::of(slot.flag.load(std::memory_order_relaxed))};
      break;
    case MailKind::delivered:
      if (home != nullptr) window = Window{home, reference.bytes, {}};
      break;
    default: break;
  }
  return window;
}

}  // namespace

Result<Window> windowOf(const MailSlot& slot, LinkEnd& from, const Label& label, Rank me, std::size_t expected,
                        const std::byte* home) {
  if (isOfAnotherCall(slot, label.tag)) return disagreement(me, *label.call, from, slot.tag);
  const std::uint64_t flag = slot.flag.load(std::memory_order_relaxed);
  const auto kind = static_cast<MailKind>(flag >> 24 & 0xff);
  std::optional<Window> window;
  if (kind == MailKind::inlined) {
    const std::size_t bytes = flag & kInlineLengthMask;
    if (bytes <= kInlineBytes) window = Window{slot.payload.bytes, bytes, {}};
  } else {
    auto found = followed(slot, kind, from.memory, home);
    if (!found.ok()) return std::move(found).error().within(fmt::format("message of rank {}", from.peer));
    window = *found;
  }
  if (!window)
    return makeError(ErrorCode::remoteError, "rank {} sent a malformed message by {}", from.peer, from.transport);
  if (window->bytes > expected) return disagreement(me, *label.call, from, slot.tag);
  return *window;
}

}  // namespace atl::exec
