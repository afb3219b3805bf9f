// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/flat_program.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "src/exec/host/disagreement.h"
#include "src/exec/host/mail.h"

namespace atl::exec {
namespace {

/// Larger lists are of plans with so many rounds that a step's own cost does not matter, and would only take memory.
constexpr std::size_t kMostSteps = 1024;

/// Slots of a message, and the bytes in each.
std::uint32_t piecesOf(std::uint32_t bytes) {
  return bytes <= kInlineBytes ? 1 : static_cast<std::uint32_t>((bytes + kInlineBytes - 1) / kInlineBytes);
}
std::uint32_t pieceBytes(std::uint32_t bytes, std::uint32_t piece) {
  return std::min(static_cast<std::uint32_t>(kInlineBytes), bytes - piece * static_cast<std::uint32_t>(kInlineBytes));
}

bool appearsTwice(std::vector<const LinkEnd*>& links) {
  std::ranges::sort(links);
  return std::ranges::adjacent_find(links) != links.end();
}

}  // namespace

std::unique_ptr<FlatProgram> FlatProgram::of(const Program& program) {
  std::unique_ptr<FlatProgram> flat(new FlatProgram(program));
  return flat->write() ? std::move(flat) : nullptr;
}

// ---- writing the list
// ------------------------------------------------------------------------------------------------

FlatProgram::FlatProgram(const Program& program)
    : program_(program),
      pointToPoint_(program.plan->collective == Collective::pointToPoint),
      keepEmpty_(program.sendsEmptyMessages()) {}

bool FlatProgram::write() {
  if (program_.lanes.size() != 1 || program_.layout.tiles() != 1 || program_.plan->shares != 1) return false;
  for (const LoweredLoop& loop : program_.lanes.front().loops) {
    for (std::int32_t k = 0; k < loop.repeat; ++k) {
      for (const LoweredRound& round : loop.rounds) {
        if (round.after >= 0 || !writeRound(round, k)) return false;
        if (sends_.size() + combines_.size() + rounds_.size() > kMostSteps) return false;
      }
    }
  }
  return true;
}

bool FlatProgram::writeRound(const LoweredRound& round, std::int32_t repetition) {
  const std::size_t firstSend = sends_.size();
  const std::size_t firstSource = sources_.size();
  const auto written = [&](bool (FlatProgram::*writer)(const LoweredStep&, std::int32_t), const auto& steps) {
    return std::ranges::all_of(steps, [&](const LoweredStep& step) { return (this->*writer)(step, repetition); });
  };
  if (!written(&FlatProgram::writeSend, round.sends) || !written(&FlatProgram::writeCombine, round.combines)) {
    return false;
  }
  std::vector<const LinkEnd*> to;
  std::vector<const LinkEnd*> from;
  for (std::size_t i = firstSend; i < sends_.size(); ++i) to.push_back(sends_[i].link);
  for (std::size_t i = firstSource; i < sources_.size(); ++i) {
    if (sources_[i].link != nullptr) from.push_back(sources_[i].link);
  }
  rounds_.push_back({sends_.size(), combines_.size()});
  return !appearsTwice(to) && !appearsTwice(from);
}

bool FlatProgram::writeSend(const LoweredStep& lowered, std::int32_t repetition) {
  Send send;
  if (!locate(atRepetition(lowered.step->chunk, repetition, program_.plan->scratchSlots), send.from)) return false;
  if (send.from.bytes == 0 && !keepEmpty_) return true;
  for (std::size_t i = 0; i < lowered.perRow; ++i) {
    send.link = lowered.row(repetition)[i];
    if (!send.link->isMemory()) return false;
    sends_.push_back(send);
  }
  return true;
}

bool FlatProgram::writeCombine(const LoweredStep& lowered, std::int32_t repetition) {
  const std::int32_t slots = program_.plan->scratchSlots;
  Combine combine;
  if (!locate(atRepetition(lowered.step->chunk, repetition, slots), combine.to)) return false;
  if (combine.to.bytes == 0 && !(keepEmpty_ && lowered.perRow > 0)) return true;
  combine.finish = lowered.step->finish;
  combine.firstSource = sources_.size();
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
  combine.sources = sources_.size() - combine.firstSource;
  operands_.resize(std::max(operands_.size(), combine.sources));
  combines_.push_back(combine);
  return true;
}

// True if the chunk lies together and is small.
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
  place.bytes = static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(end - begin, kSmallBytes + 1));
  place.offset =
      reinterpret_cast<std::intptr_t>(begin) - reinterpret_cast<std::intptr_t>(program_.layout.base(chunk.buffer));
  return place.bytes <= kSmallBytes;
}

std::size_t FlatProgram::bytesHeld() const {
  return sizeof *this + sends_.capacity() * sizeof(Send) + combines_.capacity() * sizeof(Combine) +
         sources_.capacity() * sizeof(Source) + rounds_.capacity() * sizeof(FlatRound);
}

// ---- running it
// ------------------------------------------------------------------------------------------------------

std::byte* FlatProgram::resolve(const Place& place) const {
  if (place.bytes == 0) return nullptr;
  if (pointToPoint_) return program_.layout.segment(place.chunk, place.chunk.index, 0, 0).data;
  return program_.layout.base(place.chunk.buffer) + place.offset;
}

void FlatProgram::begin(const StepContext& context) {
  for (Send& send : sends_) {
    send.from.data = resolve(send.from);
    send.label = context.label(program_.ownCall(send.from.chunk));
    send.done = false;
  }
  for (Combine& combine : combines_) {
    combine.to.data = resolve(combine.to);
    combine.label = context.label(program_.ownCall(combine.to.chunk));
    combine.done = false;
  }
  for (Source& source : sources_) {
    if (source.link == nullptr) source.place.data = resolve(source.place);
  }
  round_ = 0;
  enter();
}

// Passes over rounds that have nothing to do.
void FlatProgram::enter() {
  for (; round_ < rounds_.size(); ++round_) {
    firstSend_ = round_ == 0 ? 0 : rounds_[round_ - 1].sendsEnd;
    firstCombine_ = round_ == 0 ? 0 : rounds_[round_ - 1].combinesEnd;
    unfinished_ = rounds_[round_].sendsEnd - firstSend_ + rounds_[round_].combinesEnd - firstCombine_;
    if (unfinished_ > 0) return;
  }
}

Result<bool> FlatProgram::progress(StepContext& context) {
  bool moved = false;
  while (!done()) {
    const FlatRound& round = rounds_[round_];
    for (std::size_t i = firstSend_; i < round.sendsEnd; ++i) {
      if (sends_[i].done || !post(sends_[i])) continue;
      --unfinished_;
      moved = true;
    }
    for (std::size_t i = firstCombine_; i < round.combinesEnd; ++i) {
      if (combines_[i].done) continue;
      auto taken = take(combines_[i], context);
      if (!taken.ok()) return taken;
      if (!taken.value()) continue;
      --unfinished_;
      moved = true;
    }
    if (unfinished_ > 0) return moved;
    ++round_;
    enter();
  }
  return moved;
}

bool FlatProgram::post(Send& send) {
  MemoryLink& link = send.link->memory;
  const std::uint32_t pieces = piecesOf(send.from.bytes);
  if (!canPost(link, kMailSlots - pieces + 1)) return false;
  if (send.label.tag != 0) link.out->calls.publish(*send.label.call);
  for (std::uint32_t piece = 0; piece < pieces; ++piece) {
    postInline(link, send.label.tag, send.from.data + piece * kInlineBytes, pieceBytes(send.from.bytes, piece));
  }
  send.done = true;
  return true;
}

Result<bool> FlatProgram::take(Combine& combine, const StepContext& context) {
  const std::span sources(sources_.data() + combine.firstSource, combine.sources);
  const std::uint32_t pieces = piecesOf(combine.to.bytes);
  bool complete = true;
  for (const Source& source : sources) {
    for (std::uint32_t piece = 0; source.link != nullptr && piece < pieces; ++piece) {
      const MailSlot* const slot = peek(source.link->memory, piece);
      if (slot == nullptr) {
        complete = false;
        break;
      }
      const std::uint64_t wanted = flagOf(0, MailKind::inlined, pieceBytes(combine.to.bytes, piece));
      const bool otherSize = (slot->flag.load(std::memory_order_relaxed) & 0xffffffff) != wanted;
      if (isOfAnotherCall(*slot, combine.label.tag) || otherSize) {
        return disagreement(context.rank, *combine.label.call, *source.link, slot->tag);
      }
    }
  }
  if (!complete) return false;
  for (std::uint32_t piece = 0; piece < pieces; ++piece) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const Source& source = sources[i];
      operands_[i] = source.link != nullptr ? peek(source.link->memory, piece)->payload.bytes
                                            : source.place.data + piece * kInlineBytes;
    }
    fold(combine, combine.to.data + piece * kInlineBytes, pieceBytes(combine.to.bytes, piece), context);
  }
  for (const Source& source : sources) {
    if (source.link != nullptr) release(source.link->memory, pieces);
  }
  combine.done = true;
  return true;
}

void FlatProgram::fold(const Combine& combine, std::byte* to, std::uint32_t bytes, const StepContext& context) {
  if (bytes == 0) return;
  if (combine.sources == 1) {
    if (operands_[0] != to) std::memcpy(to, operands_[0], bytes);
  } else {
    context.reducer.fold(to, operands_.data(), static_cast<int>(combine.sources), bytes);
  }
  if (combine.finish) context.reducer.finish(to, bytes);
}

void FlatProgram::waitingFor(std::vector<const LinkEnd*>& peers) const {
  if (done()) return;
  for (std::size_t i = firstSend_; i < rounds_[round_].sendsEnd; ++i) {
    if (!sends_[i].done) peers.push_back(sends_[i].link);
  }
  for (std::size_t i = firstCombine_; i < rounds_[round_].combinesEnd; ++i) {
    const Combine& combine = combines_[i];
    if (combine.done) continue;
    for (std::size_t s = combine.firstSource; s < combine.firstSource + combine.sources; ++s) {
      const LinkEnd* const link = sources_[s].link;
      if (link != nullptr && peek(link->memory) == nullptr) peers.push_back(link);
    }
  }
}

}  // namespace atl::exec
