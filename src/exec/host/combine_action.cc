// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/combine_action.h"

#include <algorithm>

#include "kernels/host/kernels.h"
#include "src/exec/host/incoming.h"
#include "src/exec/host/mail.h"
#include "src/exec/host/send_action.h"
#include "src/exec/host/spread.h"

namespace atl::exec {
namespace {

/// Below this a destination may well be looked at by its user while it is still in the cache.
constexpr std::size_t kLeastStreamed = 128 * 1024;

}  // namespace

void CombineAction::begin(StepContext& context, const Chunk& destination, std::int32_t share, std::int32_t tile,
                          std::span<const Source> sources, const Traits& traits, const TaggedCall* ownCall) {
  destination_.begin(context.layout->view(), destination, share, tile);
  total_ = destination_.remaining();
  traits_ = traits;
  follower_ = nullptr;
  active_ = 0;
  done_ = total_ == 0 && !traits.expectEmpty;
  if (done_) return;

  const Label label = context.label(ownCall);
  call_ = *label.call;
  tag_ = label.tag;
  if (incoming_.size() < sources.size()) {
    incoming_.resize(sources.size());
    operands_.resize(sources.size());
  }
  active_ = sources.size();
  const bool large = context.beyondCache && total_ >= kLeastStreamed;
  streamed_ = traits.lastTouch && (context.stream == Path::automatic ? large : context.stream == Path::on);
  straight_ = active_ == 1 && sources[0].link != nullptr && !sources[0].link->isMemory();
  for (std::size_t i = 0; i < active_; ++i) {
    Incoming& in = incoming_[i];
    in.link = sources[i].link;
    in.finished = in.begun = in.holdsMail = false;
    in.window = nullptr;
    in.marks = {};
    in.offer = nullptr;
    in.windowBytes = 0;
    in.posted = in.taken = 0;
    if (in.link == nullptr) {
      in.cursor.begin(context.layout->view(), sources[i].chunk, share, tile);
    } else {
      in.ticket = in.link->receiving.take();
      in.unseen = in.unposted = total_;
    }
  }
}

void CombineAction::feeds(SendAction& follower, std::span<LinkEnd* const> links,
                          std::span<const std::int32_t> messages) {
  follower_ = nullptr;
  recipients_.clear();
  if (messages.empty()) return;
  for (std::size_t i = 0; i < links.size(); ++i) {
    std::size_t source = 0;
    while (source < active_ && incoming_[source].link != links[i]) ++source;
    if (source == active_) return;
    recipients_.push_back({source, static_cast<std::uint64_t>(messages[i])});
  }
  follower_ = &follower;
}

Result<bool> CombineAction::progress(StepContext& context) {
  if (done_) return false;
  if (straight_) return receiveStraight(context);
  bool moved = false;
  for (;;) {
    bool allReady = true;
    for (std::size_t i = 0; i < active_; ++i) {
      Incoming& in = incoming_[i];
      if (in.link == nullptr || in.windowBytes > 0 || in.finished) continue;
      auto filled = fill(context, in);
      if (!filled.ok()) return filled;
      moved |= filled.value();
      allReady &= in.windowBytes > 0 || in.finished;
    }
    if (!allReady) return moved;
    if (foldAvailable(context)) return true;
    moved = true;
  }
}

// Folds the longest run that every operand has and the destination takes in one piece. True when the step is complete.
bool CombineAction::foldAvailable(StepContext& context) {
  std::size_t bytes = destination_.run();
  for (std::size_t i = 0; i < active_ && bytes > 0; ++i) {
    const Incoming& in = incoming_[i];
    bytes = std::min(bytes, in.link == nullptr ? in.cursor.run() : in.windowBytes);
  }
  if (bytes > 0) {
    bool timed = false;
    for (std::size_t i = 0; i < active_; ++i) {
      const Incoming& in = incoming_[i];
      operands_[i] = in.link == nullptr ? in.cursor.data() : in.window;
      timed |= in.marks.timed;
    }
    const auto foldRun = [&] { fold(context, bytes); };
    if (timed) {
      timeReading(std::span(incoming_.data(), active_), bytes, foldRun, [](const Incoming& in) { return in.marks; });
    } else {
      foldRun();
    }
    destination_.advance(bytes);
    for (std::size_t i = 0; i < active_; ++i) consume(incoming_[i], bytes);
  }
  done_ = destination_.remaining() == 0;
  return done_;
}

// The next bytes of the destination, out of the operands.
void CombineAction::fold(StepContext& context, std::size_t bytes) {
  std::byte* const to = destination_.data();
  const std::span operands(operands_.data(), active_);
  if (findPlaces(context)) {
    places_.push_back(to);
    foldToAll(*context.reducer, traits_.finish, operands, bytes, nullptr, places_);
    follower_->delivered(bytes);
    return;
  }
  const bool isThere = active_ == 1 && operands[0] == to;
  if (streamed_ && !isThere) return foldToAll(*context.reducer, traits_.finish, operands, bytes, nullptr, {&to, 1});
  if (active_ > 1) {
    context.reducer->fold(to, operands.data(), static_cast<int>(active_), bytes);
  } else if (!isThere) {
    kernels::copyBytes(to, operands[0], bytes);
  }
  if (traits_.finish) context.reducer->finish(to, bytes);
}

// True if what is made next can go straight to all who want it: then the places are theirs.
bool CombineAction::findPlaces(const StepContext& context) {
  if (follower_ == nullptr || context.deliver == Path::off) return false;
  places_.clear();
  for (const Recipient& recipient : recipients_) {
    const Incoming& in = incoming_[recipient.source];
    if (in.offer == nullptr || in.answer != recipient.answer) return false;
    places_.push_back(in.offer);
  }
  return follower_->canDeliver(produced());
}

void CombineAction::consume(Incoming& in, std::size_t bytes) {
  if (in.link == nullptr) {
    in.cursor.advance(bytes);
    return;
  }
  in.window += bytes;
  if (in.offer != nullptr) in.offer += bytes;
  in.windowBytes -= bytes;
  if (in.windowBytes > 0) return;
  if (in.holdsMail) {
    release(in.link->memory);
    in.holdsMail = false;
  } else {
    postStage(in);
  }
  if (in.unseen == 0) finishStream(in);
}

void CombineAction::finishStream(Incoming& in) {
  in.finished = true;
  in.link->receiving.done();
}

Result<bool> CombineAction::fill(StepContext& context, Incoming& in) {
  if (!in.link->receiving.isMine(in.ticket)) return false;
  if (in.link->isMemory()) return fillFromMail(context, in);
  return fillFromStage(in);
}

Result<bool> CombineAction::fillFromMail(StepContext& context, Incoming& in) {
  MemoryLink& link = in.link->memory;
  const MailSlot* const slot = peek(link);
  if (slot == nullptr) return false;
  const std::byte* const home = traits_.offered ? destination_.data() : nullptr;
  auto window = windowOf(*slot, *in.link, {&call_, tag_}, context.rank, in.unseen, home);
  if (!window.ok()) return std::move(window).error();
  const std::size_t bytes = window->bytes;
  in.window = window->data;
  in.marks = window->marks;
  in.offer = window->offer;
  in.answer = window->answer;
  in.begun = true;
  in.unseen -= bytes;
  in.windowBytes = bytes;
  in.holdsMail = bytes > 0;
  if (bytes == 0) {
    release(link);
    if (in.unseen == 0) finishStream(in);
  }
  return true;
}

void CombineAction::postStage(Incoming& in) {
  in.staged = in.link->message->suitedPiece();
  if (in.stageOf < in.staged) {
    in.stage.reset(new std::byte[2 * in.staged]);  // not to be touched before there is something in it
    in.stageOf = in.staged;
  }
  // A piece is posted again only when its window has been used up.
  while (in.unposted > 0 && in.posted < in.taken + (in.windowBytes > 0 ? 1 : 2)) {
    const int index = in.posted % 2;
    ReceivePiece& piece = in.pieces[index];
    piece.data = in.stage.get() + static_cast<std::size_t>(index) * in.staged;
    piece.bytes = std::min(in.unposted, in.staged);
    piece.first = !in.begun;
    piece.messageBytes = total_;
    piece.call = call_;
    piece.done = false;
    piece.next = nullptr;
    in.begun = true;
    in.unposted -= piece.bytes;
    ++in.posted;
    in.link->message->post(piece);
  }
}

bool CombineAction::fillFromStage(Incoming& in) {
  if (in.posted == 0 && total_ == 0) {
    // An empty message still has a header to wait for.
    ReceivePiece& piece = in.pieces[0];
    piece = ReceivePiece{};
    piece.first = true;
    piece.call = call_;
    in.posted = 1;
    in.link->message->post(piece);
    return true;
  }
  if (total_ == 0) {
    if (!in.pieces[0].done) return false;
    finishStream(in);
    return true;
  }
  bool moved = false;
  if (in.posted == 0) {
    postStage(in);
    moved = true;
  }
  if (in.taken == in.posted) return moved;
  ReceivePiece& piece = in.pieces[in.taken % 2];
  if (!piece.done) return moved;
  ++in.taken;
  in.window = static_cast<const std::byte*>(piece.data);
  in.windowBytes = piece.bytes;
  in.unseen -= piece.bytes;
  return true;
}

Result<bool> CombineAction::receiveStraight(StepContext& context) {
  Incoming& in = incoming_[0];
  if (!in.link->receiving.isMine(in.ticket)) return false;
  bool moved = false;
  while (in.taken < in.posted && in.pieces[in.taken % 2].done) {
    const std::size_t bytes = in.pieces[in.taken % 2].bytes;
    if (traits_.finish) context.reducer->finish(destination_.data(), bytes);
    destination_.advance(bytes);
    ++in.taken;
    moved = true;
  }
  if (in.taken > 0 && destination_.remaining() == 0) {
    finishStream(in);
    done_ = true;
    return true;
  }
  if (in.posted == 0) in.cursor = destination_;
  const std::size_t most = std::max(kStraightBytes, in.link->message->suitedPiece());
  while (in.posted < in.taken + 2 && (in.cursor.remaining() > 0 || in.posted == 0)) {
    ReceivePiece& piece = in.pieces[in.posted % 2];
    piece.data = in.cursor.data();
    piece.bytes = std::min(in.cursor.run(), most);
    piece.first = in.posted == 0;
    piece.messageBytes = total_;
    piece.call = call_;
    piece.done = false;
    piece.next = nullptr;
    ++in.posted;
    in.cursor.advance(piece.bytes);
    in.link->message->post(piece);
    moved = true;
  }
  return moved;
}

void CombineAction::waitingFor(const LinkVisitor& visit) const {
  if (done_) return;
  for (std::size_t i = 0; i < active_; ++i) {
    const Incoming& in = incoming_[i];
    if (in.link != nullptr && !in.finished && in.windowBytes == 0) visit(*in.link);
  }
}

}  // namespace atl::exec
