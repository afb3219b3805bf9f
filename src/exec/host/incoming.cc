// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/incoming.h"

#include "src/exec/host/disagreement.h"
#include "src/exec/host/mail.h"

namespace atl::exec {
namespace {

/// Where a message lies that is not in its slot.
Result<Window> followed(const MailSlot& slot, MailKind kind, LinkEnd& from) {
  MemoryLink& link = from.memory;
  if (kind == MailKind::shared) {
    const auto reference = slot.payload.shared;
    auto data = follow(link, reference);
    if (!data.ok()) return std::move(data).error().within(fmt::format("message of rank {}", from.peer));
    return Window{*data, reference.bytes, {}};
  }
  const auto [where, bytes] = slot.payload.reference;
  if (kind == MailKind::direct && link.sameProcess) return Window{reinterpret_cast<const std::byte*>(where), bytes, {}};
  if (kind == MailKind::bounced && where <= link.peerOutboxBytes && bytes <= link.peerOutboxBytes - where) {
    return Window{link.peerOutbox + where, bytes, CopyMarks::of(slot.flag.load(std::memory_order_relaxed))};
  }
  return makeError(ErrorCode::remoteError, "rank {} sent a malformed message by {}", from.peer, from.transport);
}

}  // namespace

Result<Window> windowOf(const MailSlot& slot, LinkEnd& from, const Label& label, Rank me, std::size_t expected) {
  if (isOfAnotherCall(slot, label.tag)) return disagreement(me, *label.call, from, slot.tag);
  const std::uint64_t flag = slot.flag.load(std::memory_order_relaxed);
  const auto kind = static_cast<MailKind>(flag >> 24 & 0xff);
  Window window{slot.payload.bytes, flag & kInlineLengthMask, {}};
  if (kind != MailKind::inlined) {
    ATOLL_ASSIGN(window, followed(slot, kind, from));
  } else if (window.bytes > kInlineBytes) {
    return makeError(ErrorCode::remoteError, "rank {} sent a malformed message by {}", from.peer, from.transport);
  }
  if (window.bytes > expected) return disagreement(me, *label.call, from, slot.tag);
  return window;
}

}  // namespace atl::exec
