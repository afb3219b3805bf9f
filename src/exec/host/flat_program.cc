// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/flat_program.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "kernels/host/kernels.h"
#include "src/exec/host/mail.h"

namespace atl::exec {
namespace {

/// Longer lists are of plans with so many rounds that a step's own cost does not matter, and would only take memory.
constexpr std::size_t kMostSteps = 1024;

/// From here on the actions gain by what they do besides: pieces that go on while others come, memory read in place.
constexpr std::uint64_t kMostBytes = 64 * 1024 - 1;

/// Mailbox slots of a small message. An empty one takes one too.
std::size_t slotsFor(std::size_t bytes) {
  return bytes <= kInlineBytes ? 1 : (bytes + kInlineBytes - 1) / kInlineBytes;
}

bool appearsTwice(std::vector<const LinkEnd*>& links) {
  std::ranges::sort(links);
  return std::ranges::adjacent_find(links) != links.end();
}

}  // namespace

std::unique_ptr<FlatProgram> FlatProgram::of(const Program& program, const Settings& settings) {
  if (settings.paths.flat == Path::off) return nullptr;
  std::unique_ptr<FlatProgram> flat(new FlatProgram(program, settings));
  return flat->write() ? std::move(flat) : nullptr;
}

// ---- writing the list
// ------------------------------------------------------------------------------------------------

FlatProgram::FlatProgram(const Program& program, const Settings& settings)
    : program_(program),
      pointToPoint_(program.plan->collective == Collective::pointToPoint),
      keepEmpty_(program.sendsEmptyMessages()),
      mayShare_(settings.direct),
      mostBytes_(settings.paths.flat == Path::on ? settings.slotBytes : std::min(settings.slotBytes, kMostBytes)) {
  const bool everyLinkHasASlot = program.bouncingLinks() <= static_cast<std::size_t>(settings.slots);
  if (!everyLinkHasASlot) mostBytes_ = kSmallBytes;
}

bool FlatProgram::write() {
  if (program_.lanes.size() != 1 || program_.layout.tiles() != 1 || program_.plan->shares != 1) return false;
  std::uint32_t number = 0;
  for (const LoweredLoop& loop : program_.lanes.front().loops) {
    for (std::int32_t k = 0; k < loop.repeat; ++k) {
      for (const LoweredRound& round : loop.rounds) {
        if (round.after >= 0 || !writeRound(round, k, number++)) return false;
        if (steps_.size() + outgoing_.size() + sources_.size() > kMostSteps) return false;
      }
    }
  }
  return true;
}

bool FlatProgram::writeRound(const LoweredRound& round, std::int32_t repetition, std::uint32_t number) {
  const std::size_t firstOutgoing = outgoing_.size();
  const std::size_t firstSource = sources_.size();
  const auto written = [&](auto writer, const auto& steps) {
    return std::ranges::all_of(steps, [&](const LoweredStep& s) { return (this->*writer)(s, repetition, number); });
  };
  if (!written(&FlatProgram::writeSend, round.sends) || !written(&FlatProgram::writeCombine, round.combines)) {
    return false;
  }
  std::vector<const LinkEnd*> to;
  std::vector<const LinkEnd*> from;
  bool inPlace = false;
  for (std::size_t i = firstOutgoing; i < outgoing_.size(); ++i) {
    to.push_back(outgoing_[i].link);
    inPlace |= outgoing_[i].inPlace;
  }
  for (std::size_t i = firstSource; i < sources_.size(); ++i) {
    if (sources_[i].link != nullptr) from.push_back(sources_[i].link);
  }
  if (inPlace) {
    FlatStep settle;
    settle.kind = FlatStep::Kind::settle;
    settle.round = number;
    settle.first = static_cast<std::uint32_t>(firstOutgoing);
    settle.count = static_cast<std::uint32_t>(to.size());
    steps_.push_back(settle);
  }
  return !appearsTwice(to) && !appearsTwice(from);
}

bool FlatProgram::writeSend(const LoweredStep& lowered, std::int32_t repetition, std::uint32_t round) {
  FlatStep step;
  step.round = round;
  if (!locate(atRepetition(lowered.step->chunk, repetition, program_.plan->scratchSlots), step.place)) return false;
  if (step.place.bytes == 0 && !keepEmpty_) return true;
  step.first = static_cast<std::uint32_t>(outgoing_.size());
  step.count = static_cast<std::uint32_t>(lowered.perRow);
  for (LinkEnd* const link : std::span(lowered.row(repetition), lowered.perRow)) {
    if (!link->isMemory()) return false;
    const bool sameProcess = link->memory.sameProcess;
    outgoing_.push_back({link, sameProcess && step.place.bytes > kSmallBytes, 0});
    const bool mayBeRead = mayShare_ && !sameProcess && step.place.bytes >= kLeastShared;
    if (mayBeRead && !firstCopied_) firstCopied_ = {step.place, link};
  }
  steps_.push_back(step);
  return true;
}

bool FlatProgram::writeCombine(const LoweredStep& lowered, std::int32_t repetition, std::uint32_t round) {
  const std::int32_t slots = program_.plan->scratchSlots;
  FlatStep step;
  step.kind = FlatStep::Kind::combine;
  step.round = round;
  if (!locate(atRepetition(lowered.step->chunk, repetition, slots), step.place)) return false;
  if (step.place.bytes == 0 && !(keepEmpty_ && lowered.perRow > 0)) return true;
  step.finish = lowered.step->finish;
  step.first = static_cast<std::uint32_t>(sources_.size());
  LinkEnd* const* links = lowered.row(repetition);
  for (const Operand& operand : lowered.step->operands) {
    Source source;
    if (operand.isPeer()) {
      source.link = *links++;
      if (!source.link->isMemory()) return false;
    } else if (!locate(atRepetition(operand.chunk, repetition, slots), source.place)) {
      return false;
    }
    sources_.push_back(source);
  }
  step.count = static_cast<std::uint32_t>(sources_.size()) - step.first;
  operands_.resize(std::max<std::size_t>(operands_.size(), step.count));
  steps_.push_back(step);
  return true;
}

// True if the chunk lies together and is short.
bool FlatProgram::locate(const Chunk& chunk, Place& place) const {
  place.chunk = chunk;
  std::byte* begin = nullptr;
  std::byte* end = nullptr;
  for (std::int32_t i = 0; i < chunk.span; ++i) {
    const Segment part = program_.layout.segment(chunk, chunk.index + i, 0, 0);
    if (part.bytes == 0) continue;
    if (begin == end) begin = end = part.data;
    if (part.data != end) return false;
    end += part.bytes;
  }
  const auto bytes = static_cast<std::size_t>(end - begin);
  if (bytes > mostBytes_) return false;
  place.bytes = static_cast<std::uint32_t>(bytes);
  place.offset =
      reinterpret_cast<std::intptr_t>(begin) - reinterpret_cast<std::intptr_t>(program_.layout.base(chunk.buffer));
  return true;
}

std::size_t FlatProgram::bytesHeld() const {
  return sizeof *this + steps_.capacity() * sizeof(FlatStep) + outgoing_.capacity() * sizeof(Outgoing) +
         sources_.capacity() * sizeof(Source);
}

// ---- running it
// ------------------------------------------------------------------------------------------------------

inline std::byte* FlatProgram::resolve(const Place& place) const {
  if (place.bytes == 0) return nullptr;
  if (pointToPoint_) return program_.layout.view().block(place.chunk.buffer, place.chunk.index);
  return program_.layout.base(place.chunk.buffer) + place.offset;
}

bool FlatProgram::copiesShareable() const {
  if (!firstCopied_ || firstCopied_->to->memory.out->followsShared.load(std::memory_order_relaxed) == 0) return false;
  return findShareable(resolve(firstCopied_->place), firstCopied_->place.bytes).has_value();
}

void FlatProgram::begin() {
  step_ = 0;
  served_ = 0;
  slot_ = nullptr;
  inlined_ = 0;
  waited_ = false;
  entered_ = false;
}

Result<bool> FlatProgram::progress(StepContext& context) {
  moved_ = false;
  for (; !done(); ++step_) {
    const FlatStep& step = steps_[step_];
    bool complete = false;
    switch (step.kind) {
      case FlatStep::Kind::send: complete = send(step, context); break;
      case FlatStep::Kind::settle: complete = settled(step); break;
      case FlatStep::Kind::combine: {
        ATOLL_ASSIGN(complete, combine(step, context));
        break;
      }
    }
    if (!complete) return moved_;
    moved_ = true;
  }
  return moved_;
}

bool FlatProgram::send(const FlatStep& step, StepContext& context) {
  const std::byte* const data = resolve(step.place);
  const Label label = context.label(program_.ownCall(step.place.chunk));
  for (; served_ < step.count; ++served_) {
    Outgoing& out = outgoing_[step.first + served_];
    if (label.tag != 0) announce(out.link->memory, *label.call);
    if (!sendTo(out, data, step.place.bytes, label, context)) return false;
    inlined_ = 0;
    moved_ = true;
  }
  served_ = 0;
  slot_ = nullptr;
  return true;
}

bool FlatProgram::sendTo(Outgoing& out, const std::byte* data, std::size_t bytes, const Label& label,
                         StepContext& context) {
  MemoryLink& link = out.link->memory;
  if (bytes <= kSmallBytes || inlined_ > 0) return sendInline(link, data, bytes, label);
  if (out.inPlace) {
    if (!canPost(link)) return false;
    out.message = postDirect(link, label.tag, data, bytes);
    return true;
  }
  if (!canPost(link, context.slotsPerLink)) return false;
  if (slot_ == nullptr) {
    slot_ = context.outbox->tryAcquire();
    // Peers of other calls may hold every slot, and wait for a peer that waits for this message: see send_action.h.
    if (slot_ == nullptr) return context.starving && sendInline(link, data, bytes, label);
    marks_ = out.link->copier.copy(bytes, context.beyondCache, *link.out, context.stream, [&](bool streamed) {
      (streamed ? kernels::streamBytes : kernels::copyBytes)(slot_, data, bytes);
    });
  }
  context.outbox->readBy(link, postBounced(link, label.tag, context.outbox->offsetOf(slot_), bytes, marks_.bits()));
  return true;
}

bool FlatProgram::sendInline(MemoryLink& link, const std::byte* data, std::size_t bytes, const Label& label) {
  do {
    if (!canPost(link)) return false;
    const std::size_t now = std::min(kInlineBytes, bytes - inlined_);
    postInline(link, label.tag, data + inlined_, now);
    inlined_ += now;
    moved_ = true;
  } while (inlined_ < bytes);
  return true;
}

// The common case of a small message: all of its slots are there, from every peer, and as expected. Keeps nothing from
// one look to the next.
FlatProgram::Taken FlatProgram::takeSlots(const FlatStep& step, const Label& label, const StepContext& context) {
  const std::span sources(sources_.data() + step.first, step.count);
  const std::size_t bytes = step.place.bytes;
  const std::size_t slots = slotsFor(bytes);
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Source& source = sources[i];
    if (source.link == nullptr) {
      operands_[i] = resolve(source.place);
      continue;
    }
    for (std::size_t k = 0; k < slots; ++k) {
      const MailSlot* const slot = peek(source.link->memory, k);
      if (slot == nullptr) {
        waited_ = true;
        return Taken::notYet;
      }
      const std::size_t expected = std::min(kInlineBytes, bytes - k * kInlineBytes);
      if (!isInlined(*slot, expected) || isOfAnotherCall(*slot, label.tag)) return Taken::other;
      if (k == 0) operands_[i] = slot->payload.bytes;
    }
  }
  std::byte* const to = resolve(step.place);
  if (bytes > 0) fold(step, to, std::min(kInlineBytes, bytes), context);
  for (std::size_t at = kInlineBytes; at < bytes; at += kInlineBytes) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const Source& source = sources[i];
      operands_[i] = source.link != nullptr ? peek(source.link->memory, at / kInlineBytes)->payload.bytes
                                            : resolve(source.place) + at;
    }
    fold(step, to + at, std::min(kInlineBytes, bytes - at), context);
  }
  for (const Source& source : sources) {
    if (source.link == nullptr) continue;
    release(source.link->memory, slots);
    if (!waited_) fetchAhead(source.link->memory);
  }
  waited_ = false;
  return Taken::yes;
}

Result<bool> FlatProgram::combine(const FlatStep& step, const StepContext& context) {
  const Label label = context.label(program_.ownCall(step.place.chunk));
  if (!entered_) {
    if (step.place.bytes <= kSmallBytes) {
      const Taken taken = takeSlots(step, label, context);
      if (taken != Taken::other) return taken == Taken::yes;
    }
    enter(step);
  }
  const std::span sources(sources_.data() + step.first, step.count);
  std::byte* const to = resolve(step.place);
  do {
    std::size_t run = step.place.bytes - folded_;
    for (Source& source : sources) {
      while (source.open && source.window.bytes == 0) {
        ATOLL_ASSIGN(const bool there, look(source, label, context.rank));
        if (!there) return false;
      }
      run = std::min(run, source.window.bytes);
    }
    if (run == 0) break;  // an empty message, which is there
    bool timed = false;
    for (std::size_t i = 0; i < sources.size(); ++i) {
      operands_[i] = sources[i].window.data;
      timed |= sources[i].window.marks.timed;
    }
    const auto foldRun = [&] { fold(step, to + folded_, run, context); };
    if (timed) {
      timeReading(sources, run, foldRun, [](const Source& source) { return source.window.marks; });
    } else {
      foldRun();
    }
    folded_ += run;
    for (Source& source : sources) {
      source.window.data += run;
      source.window.bytes -= run;
      if (source.window.bytes == 0 && source.link != nullptr) release(source.link->memory);
    }
  } while (folded_ < step.place.bytes);
  entered_ = false;
  return true;
}

void FlatProgram::enter(const FlatStep& step) {
  for (Source& source : std::span(sources_.data() + step.first, step.count)) {
    source.open = source.link != nullptr;
    source.unseen = step.place.bytes;
    source.window = source.open ? Window{} : Window{resolve(source.place), step.place.bytes, {}};
  }
  folded_ = 0;
  entered_ = true;
}

// Takes in the next message of a source, if it is there.
Result<bool> FlatProgram::look(Source& source, const Label& label, Rank me) {
  const MailSlot* const slot = peek(source.link->memory);
  if (slot == nullptr) return false;
  ATOLL_ASSIGN(source.window, windowOf(*slot, *source.link, label, me, source.unseen));
  source.unseen -= source.window.bytes;
  source.open = source.unseen > 0;
  if (source.window.bytes == 0) release(source.link->memory);
  moved_ = true;
  return true;
}

void FlatProgram::fold(const FlatStep& step, std::byte* to, std::size_t bytes, const StepContext& context) {
  if (step.count == 1) {
    if (operands_[0] != to) std::memcpy(to, operands_[0], bytes);
  } else {
    context.reducer->fold(to, operands_.data(), static_cast<int>(step.count), bytes);
  }
  if (step.finish) context.reducer->finish(to, bytes);
}

bool FlatProgram::settled(const FlatStep& step) const {
  return std::ranges::all_of(std::span(outgoing_.data() + step.first, step.count),
                             [](const Outgoing& out) { return consumed(out.link->memory, out.message); });
}

void FlatProgram::waitingFor(const LinkVisitor& visit) const {
  if (done()) return;
  const FlatStep& step = steps_[step_];
  if (step.kind == FlatStep::Kind::combine) {
    for (const Source& source : std::span(sources_.data() + step.first, step.count)) {
      if (source.link == nullptr) continue;
      // What takeSlots() looks for, or else what look() does.
      const bool there = entered_ ? !source.open || source.window.bytes > 0
                                  : peek(source.link->memory, slotsFor(step.place.bytes) - 1) != nullptr;
      if (!there) visit(*source.link);
    }
    return;
  }
  const bool sends = step.kind == FlatStep::Kind::send;
  for (std::uint32_t i = sends ? served_ : 0; i < step.count; ++i) {
    const Outgoing& out = outgoing_[step.first + i];
    if (sends || !consumed(out.link->memory, out.message)) visit(*out.link);
  }
}

}  // namespace atl::exec
