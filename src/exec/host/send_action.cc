// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/send_action.h"

#include <algorithm>
#include <cstring>

#include "kernels/host/kernels.h"
#include "src/exec/host/mail.h"

namespace atl::exec {
namespace {

/// What is worth sending before the feeder is done; less would cost more messages than it saves time.
constexpr std::size_t kForwardBytes = 64 * 1024;

/// A message link takes a scattered chunk piece by piece; up to so many bytes a copy that lies together costs less.
constexpr std::size_t kMostGathered = 16 * 1024;

/// Copies `bytes` from a cursor, without moving the cursor; `streamed`: around the cache.
void gather(std::byte* to, ChunkCursor from, std::size_t bytes, bool streamed) {
  const auto copy = streamed ? kernels::streamBytes : kernels::copyBytes;
  while (bytes > 0) {
    const std::size_t now = std::min(bytes, from.run());
    copy(to, from.data(), now);
    from.advance(now);
    to += now;
    bytes -= now;
  }
}

void advance(ChunkCursor& cursor, std::size_t bytes) {
  while (bytes > 0) {
    const std::size_t now = std::min(bytes, cursor.run());
    cursor.advance(now);
    bytes -= now;
  }
}

/// Whether another process that can map my shareable memory can read all of a chunk in place.
bool isShareable(ChunkCursor chunk) {
  while (chunk.remaining() > 0) {
    if (!findShareable(chunk.data(), chunk.run())) return false;
    chunk.advance(chunk.run());
  }
  return true;
}

}  // namespace

void SendAction::begin(StepContext& context, const Chunk& chunk, std::int32_t share, std::int32_t tile,
                       std::span<LinkEnd* const> links, bool announceEmpty, const TaggedCall* ownCall,
                       const std::optional<Offer>& offer, const CombineAction* feeder) {
  feeder_ = feeder;
  leastForwarded_ = context.forward == Path::on ? 1 : kForwardBytes;
  ChunkCursor cursor;
  cursor.begin(context.layout->view(), chunk, share, tile);
  total_ = cursor.remaining();
  active_ = 0;
  unfinished_ = 0;
  bouncing_ = 0;
  if (total_ == 0 && !announceEmpty) return;

  offer_ = nullptr;
  if (offer) {
    ChunkCursor place;
    place.begin(context.layout->view(), offer->place, share, tile);
    if (place.run() == total_) offer_ = place.data();
    answer_ = static_cast<std::uint64_t>(offer->answer);
  }
  const Label label = context.label(ownCall);
  call_ = *label.call;
  tag_ = label.tag;
  if (outgoing_.size() < links.size()) outgoing_.resize(links.size());
  active_ = links.size();
  unfinished_ = links.size();
  for (std::size_t i = 0; i < links.size(); ++i) {
    Outgoing& out = outgoing_[i];
    out.link = links[i];
    out.ticket = links[i]->sending.take();
    out.cursor = links[i]->isMemory() ? cursor : together(cursor);
    out.announced = out.posted = out.finished = false;
    out.lastMessage = 0;
    out.way = links[i]->isMemory() ? wayTo(context, links[i]->memory, cursor) : Way::message;
    if (out.way == Way::bounced) ++bouncing_;
  }
}

// The chunk from its beginning, as one run of bytes if it is worth it and nothing of it is still to come.
ChunkCursor SendAction::together(const ChunkCursor& chunk) {
  if (chunk.run() == total_ || total_ > kMostGathered || feeder_ != nullptr) return chunk;
  if (gathered_.size() < total_) gathered_.resize(kMostGathered);
  gather(gathered_.data(), chunk, total_, false);
  return {gathered_.data(), total_};
}

Result<bool> SendAction::progress(StepContext& context) {
  bool moved = false;
  for (std::size_t i = 0; i < active_; ++i) {
    Outgoing& out = outgoing_[i];
    if (out.finished || (!out.posted && !out.link->sending.isMine(out.ticket))) continue;
    switch (out.way) {
      case Way::message: moved |= progressMessage(out); break;
      case Way::inlined: moved |= progressInline(out); break;
      case Way::direct:
      case Way::shared: moved |= progressInPlace(out); break;
      case Way::bounced: break;  // all of them together
    }
  }
  if (bouncing_ > 0) moved |= progressBounced(context);
  return moved;
}

SendAction::Way SendAction::wayTo(const StepContext& context, MemoryLink& link, const ChunkCursor& chunk) const {
  if (total_ <= kSmallBytes) return Way::inlined;
  if (link.sameProcess) return Way::direct;
  const bool mayRefer =
      context.direct && total_ >= kLeastShared && link.out->followsShared.load(std::memory_order_relaxed) != 0;
  return mayRefer && isShareable(chunk) ? Way::shared : Way::bounced;
}

void SendAction::announceCall(Outgoing& out) {
  if (out.announced) return;
  out.announced = true;
  if (tag_ != 0) announce(out.link->memory, call_);
}

void SendAction::allPosted(Outgoing& out) {
  out.posted = true;
  out.link->sending.done();
}

void SendAction::finish(Outgoing& out) {
  out.finished = true;
  --unfinished_;
}

// Bytes, at most `wanted`, that may go on to a peer now: all of them, unless the feeder has not got so far.
std::size_t SendAction::ready(const Outgoing& out, std::size_t wanted) const {
  if (feeder_ == nullptr || feeder_->done()) return wanted;
  const std::size_t sent = total_ - out.cursor.remaining();
  const std::size_t produced = feeder_->produced() - sent;
  if (produced >= wanted) return wanted;
  return produced >= leastForwarded_ ? produced : 0;
}

bool SendAction::progressMessage(Outgoing& out) {
  if (out.announced) {
    if (!out.piece.done) return false;
    advance(out.cursor, out.piece.bytes);
    out.piece.bytes = 0;
    if (out.cursor.remaining() == 0) {
      allPosted(out);
      finish(out);
      return true;
    }
  }
  const std::size_t bytes = ready(out, out.cursor.run());
  if (bytes == 0 && total_ > 0) return false;
  out.piece.data = out.cursor.data();
  out.piece.bytes = bytes;
  out.piece.first = !out.announced;
  out.piece.messageBytes = total_;
  out.piece.call = call_;
  out.piece.done = false;
  out.piece.next = nullptr;
  out.announced = true;
  out.link->message->post(out.piece);
  return true;
}

bool SendAction::progressInline(Outgoing& out) {
  MemoryLink& link = out.link->memory;
  const std::size_t bytes = std::min(out.cursor.remaining(), kInlineBytes);
  if (!canPost(link) || ready(out, bytes) < bytes) return false;
  announceCall(out);
  std::byte packet[kInlineBytes];
  if (out.cursor.run() >= bytes) {
    postInline(link, tag_, out.cursor.data(), bytes);
  } else {
    gather(packet, out.cursor, bytes, false);
    postInline(link, tag_, packet, bytes);
  }
  advance(out.cursor, bytes);
  if (out.cursor.remaining() == 0) {
    allPosted(out);
    finish(out);
  }
  return true;
}

bool SendAction::progressInPlace(Outgoing& out) {
  MemoryLink& link = out.link->memory;
  bool moved = false;
  while (out.cursor.remaining() > 0 && canPost(link)) {
    const std::size_t bytes = ready(out, out.cursor.run());
    if (bytes == 0) break;
    announceCall(out);
    std::byte* const offer = offer_ == nullptr ? nullptr : offer_ + (total_ - out.cursor.remaining());
    if (out.way == Way::direct) {
      out.lastMessage = postDirect(link, tag_, out.cursor.data(), bytes, offer, answer_);
    } else {
      const auto place = offer == nullptr ? std::nullopt : findShareable(offer, bytes);
      out.lastMessage = postShared(link, tag_, *findShareable(out.cursor.data(), bytes), bytes,
                                   place.value_or(SharedPlace{}), answer_);
    }
    out.cursor.advance(bytes);
    moved = true;
  }
  if (out.cursor.remaining() > 0) return moved;
  if (!out.posted) allPosted(out);
  if (!consumed(link, out.lastMessage)) return moved;
  finish(out);
  return true;
}

bool SendAction::canDeliver(std::size_t produced) const {
  return std::ranges::all_of(std::span(outgoing_.data(), active_), [&](const Outgoing& out) {
    return (out.way == Way::direct || out.way == Way::shared) && out.link->sending.isMine(out.ticket) &&
           out.cursor.remaining() == total_ - produced && canPost(out.link->memory);
  });
}

void SendAction::delivered(std::size_t bytes) {
  for (Outgoing& out : std::span(outgoing_.data(), active_)) {
    announceCall(out);
    postDelivered(out.link->memory, tag_, bytes);
    advance(out.cursor, bytes);
  }
}

bool SendAction::progressBounced(StepContext& context) {
  bool moved = false;
  const auto canTake = [&](Outgoing& out) {
    return out.way == Way::bounced && !out.posted && out.link->sending.isMine(out.ticket) &&
           canPost(out.link->memory, context.slotsPerLink);
  };
  for (std::size_t leader = 0; leader < active_;) {
    const std::size_t at = outgoing_[leader].cursor.remaining();
    const std::size_t wanted = std::min(at, context.outbox->slotBytes());
    if (!canTake(outgoing_[leader]) || ready(outgoing_[leader], wanted) == 0) {
      ++leader;
      continue;
    }
    std::byte* const slot = context.outbox->tryAcquire();
    if (slot == nullptr) {
      if (!context.starving || moved) break;
      Outgoing& out = outgoing_[leader];
      out.way = Way::inlined;  // for the rest of the chunk: the slots may stay taken
      --bouncing_;
      moved = progressInline(out);
      break;
    }
    const std::size_t bytes = ready(outgoing_[leader], wanted);
    LinkEnd& first = *outgoing_[leader].link;
    const CopyMarks marks =
        first.copier.copy(bytes, context.beyondCache, *first.memory.out, context.stream,
                          [&](bool streamed) { gather(slot, outgoing_[leader].cursor, bytes, streamed); });
    moved = true;
    for (std::size_t i = leader; i < active_; ++i) {
      Outgoing& out = outgoing_[i];
      if (i != leader && (!canTake(out) || out.cursor.remaining() != at)) continue;
      announceCall(out);
      const auto message = postBounced(out.link->memory, tag_, context.outbox->offsetOf(slot), bytes, marks.bits());
      context.outbox->readBy(out.link->memory, message);
      advance(out.cursor, bytes);
      if (out.cursor.remaining() > 0) continue;
      allPosted(out);
      finish(out);
      --bouncing_;
    }
  }
  return moved;
}

void SendAction::waitingFor(const LinkVisitor& visit) const {
  for (std::size_t i = 0; i < active_; ++i) {
    if (!outgoing_[i].finished) visit(*outgoing_[i].link);
  }
}

}  // namespace atl::exec
