// SPDX-License-Identifier: Apache-2.0
// What the leader of a block decides: which step of the present round can move, and what the block's threads do for it.
//
// The steps of a round are under way together, as the plan wants: whichever can move does, so that no order of arrivals
// can block. Only the leader looks at flags and counts; the other threads see jobs.
#pragma once

#include <cstdint>

#include "src/exec/cuda/device/job.h"
#include "src/exec/cuda/device/packets.h"
#include "src/exec/cuda/device/space.h"
#include "src/exec/cuda/device/turns.h"

namespace atl::device {

template <Space X>
class Leader {
 public:
  ATOLL_HOST_DEVICE Leader(X& x, const Run& run, std::int32_t lane, const Turn& turn)
      : x_(x),
        run_(run),
        program_(*run.program),
        lane_(run.program->lanes[lane]),
        laneIndex_(lane),
        turn_(turn),
        call_(turn.call) {}

  /// Before the first job. Waits for the run's turn.
  ATOLL_HOST_DEVICE_APART void begin() {
    failed_ = !awaitTurn(x_, *run_.control, turn_);
    tag_ = program_.tagBase == 0 ? 0 : program_.tagBase + call_;
    layout_ = program_.layout;
    layout_.base[static_cast<int>(Buffer::input)] = static_cast<std::byte*>(const_cast<void*>(run_.input));
    layout_.base[static_cast<int>(Buffer::output)] = static_cast<std::byte*>(run_.output);
    layout_.base[static_cast<int>(Buffer::scratch)] = run_.scratch;
    if (lane_.loops == 0) tile_ = layout_.tiles;
  }

  /// Waits until something can be done. What the job before it moved counts as moved from now on.
  ATOLL_HOST_DEVICE_APART Job next() {
    account();
    if (failed_) return {};
    x_.beginWait();
    for (std::uint32_t polls = 1; tile_ < layout_.tiles; ++polls) {
      if (entered_ || mayEnter()) {
        if (!entered_) enter();
        Job job;
        if (findJob(job)) {
          moved_ = job.bytes;
          return job;
        }
        if (failed_) return {};
        if (roundOver()) {
          leave();
          x_.beginWait();
          polls = 0;
          continue;
        }
      }
      if (polls % kPollsBetweenLooks == 0 && endEarly()) return {};
      x_.pause();
    }
    end();
    return {};
  }

  /// The block's threads gave up in the middle of a job.
  ATOLL_HOST_DEVICE void giveUp() { fail(Failure::Kind::interrupted, -1, 0, 0); }

 private:
  // ---- where the lane is

  ATOLL_HOST_DEVICE const Loop& loop() const { return program_.loops[lane_.firstLoop + loop_]; }
  ATOLL_HOST_DEVICE const Round& round() const { return program_.rounds[loop().firstRound + round_]; }

  ATOLL_HOST_DEVICE std::uint64_t tilesMark(std::int32_t tiles) const {
    return call_ << 32 | static_cast<std::uint32_t>(tiles);
  }
  ATOLL_HOST_DEVICE bool mayEnter() {
    const std::int32_t after = round().after;
    return after < 0 || x_.acquire(run_.tilesDone + after) >= tilesMark(tile_ + 1);
  }

  ATOLL_HOST_DEVICE void enter() {
    const Round& r = round();
    outgoing_ = 0;
    for (std::int32_t i = 0; i < r.sends; ++i) beginSend(program_.steps[r.firstSend + i]);
    std::int32_t incoming = 0;
    for (std::int32_t i = 0; i < r.combines; ++i) {
      beginCombine(program_.steps[r.firstSend + r.sends + i], combiningAt(i), incoming);
    }
    entered_ = true;
  }

  ATOLL_HOST_DEVICE bool roundOver() const {
    for (std::int32_t i = 0; i < outgoing_; ++i) {
      if (!outgoingAt(i).over) return false;
    }
    for (std::int32_t i = 0; i < round().combines; ++i) {
      if (!combiningAt(i).over) return false;
    }
    return true;
  }

  ATOLL_HOST_DEVICE void leave() {
    entered_ = false;
    if (++round_ < loop().rounds) return;
    round_ = 0;
    if (++repetition_ < loop().repeat) return;
    repetition_ = 0;
    if (++loop_ < lane_.loops) return;
    loop_ = 0;
    ++tile_;
    x_.release(run_.tilesDone + laneIndex_, tilesMark(tile_));
  }

  ATOLL_HOST_DEVICE void end() {
    if (lane_.loops == 0) x_.release(run_.tilesDone + laneIndex_, tilesMark(tile_));
    endTurn(x_, *run_.control, turn_);
  }

  // ---- steps begin

  ATOLL_HOST_DEVICE Outgoing& outgoingAt(std::int32_t i) const { return program_.outgoing[lane_.firstOutgoing + i]; }
  ATOLL_HOST_DEVICE Combining& combiningAt(std::int32_t i) const {
    return program_.combining[lane_.firstCombining + i];
  }
  ATOLL_HOST_DEVICE Incoming& incomingAt(std::int32_t i) const { return program_.incoming[lane_.firstIncoming + i]; }

  ATOLL_HOST_DEVICE Link& linkOf(const Operand& operand) const {
    return program_.links[program_.linkOf[operand.links + (operand.advances ? repetition_ : 0)]];
  }
  ATOLL_HOST_DEVICE ChunkCursor cursorOf(const Chunk& chunk) const {
    ChunkCursor cursor;
    cursor.begin(layout_, atRepetition(chunk, repetition_, program_.scratchSlots), lane_.share, tile_);
    return cursor;
  }

  ATOLL_HOST_DEVICE std::uint64_t tagOf(const Step& step) const { return step.tag == 0 ? tag_ : step.tag; }

  ATOLL_HOST_DEVICE void beginSend(const Step& step) {
    const ChunkCursor cursor = cursorOf(step.chunk);
    for (std::int32_t i = 0; i < step.operands; ++i) {
      Outgoing out;
      out.link = &linkOf(program_.operands[step.firstOperand + i]);
      out.cursor = cursor;
      out.over = cursor.remaining() == 0 && !program_.sendsEmpty;
      if (!out.over) {
        out.tag = tagOf(step);
        out.turn = out.link->state->sendsBegun++;
        out.way = wayOf(*out.link, cursor);
      }
      outgoingAt(outgoing_++) = out;
    }
  }

  ATOLL_HOST_DEVICE Outgoing::Way wayOf(const Link& link, const ChunkCursor& cursor) const {
    const bool fits = cursor.remaining() <= program_.packetsUpTo && cursor.run() == cursor.remaining();
    if (fits && link.packetsThere != nullptr) return Outgoing::Way::packets;
    return link.sharesAddresses ? Outgoing::Way::place : Outgoing::Way::slot;
  }

  ATOLL_HOST_DEVICE void beginCombine(const Step& step, Combining& combining, std::int32_t& incoming) {
    combining.destination = cursorOf(step.chunk);
    combining.firstIncoming = incoming;
    combining.incoming = step.operands;
    combining.finish = step.finish;
    const std::uint64_t bytes = combining.destination.remaining();
    bool peers = false;
    for (std::int32_t i = 0; i < step.operands; ++i) {
      const Operand& operand = program_.operands[step.firstOperand + i];
      Incoming in;
      if (operand.links < 0) {
        in.cursor = cursorOf(operand.chunk);
      } else if (bytes > 0 || program_.sendsEmpty) {
        in.link = &linkOf(operand);
        in.tag = tagOf(step);
        in.turn = in.link->state->receivesBegun++;
        in.unseen = bytes;
        peers = true;
      }
      incomingAt(incoming++) = in;
    }
    combining.over = bytes == 0 && !peers;
  }

  // ---- what can move

  ATOLL_HOST_DEVICE bool findJob(Job& job) {
    for (std::int32_t i = 0; i < outgoing_; ++i) {
      Outgoing& out = outgoingAt(i);
      if (!out.over && canSend(out, job)) return true;
    }
    for (std::int32_t i = 0; i < round().combines; ++i) {
      Combining& combining = combiningAt(i);
      if (!combining.over && canFold(combining, job)) return true;
      if (failed_) return false;
    }
    return false;
  }

  /// Whether there is a job for it; also moves what needs none.
  ATOLL_HOST_DEVICE bool canSend(Outgoing& out, Job& job) {
    Link& link = *out.link;
    LinkState& state = *link.state;
    if (out.posted) {
      out.over = x_.acquire(&link.here->consumed) >= out.last;
      return false;
    }
    if (state.sendsOver != out.turn) return false;
    while (state.sent - x_.acquire(&link.here->consumed) < kMails) {
      const std::uint64_t place = (state.sent + 1) % kMails;
      job.from = out.cursor.data();
      job.bytes = out.cursor.run();
      switch (out.way) {
        case Outgoing::Way::packets:
          job.kind = Job::Kind::sendPackets;
          if (job.bytes > program_.packetBytes) job.bytes = program_.packetBytes;
          job.packets = link.packetsThere + place * packetsOf(program_.packetBytes);
          job.number = state.sent + 1;
          job.tag = out.tag;
          moving_ = &out;
          return true;
        case Outgoing::Way::slot:
          job.kind = Job::Kind::copy;
          if (job.bytes > program_.slotBytes) job.bytes = program_.slotBytes;
          job.to = link.slotsThere + place * program_.slotBytes;
          moving_ = &out;
          return true;
        case Outgoing::Way::place:
          post(out, job.bytes, reinterpret_cast<std::uintptr_t>(job.from));
          if (out.posted) return false;
          break;
      }
    }
    return false;
  }

  /// The next piece of a message, announced by mail.
  ATOLL_HOST_DEVICE void post(Outgoing& out, std::uint64_t bytes, std::uint64_t place) {
    const std::uint64_t number = out.link->state->sent + 1;
    Mail& mail = out.link->there->mails[number % kMails];
    mail.place = place;
    mail.bytes = bytes;
    mail.tag = out.tag;
    x_.release(&mail.number, number);
    sent(out, bytes);
  }

  ATOLL_HOST_DEVICE void sent(Outgoing& out, std::uint64_t bytes) {
    LinkState& state = *out.link->state;
    ++state.sent;
    out.cursor.advance(bytes);
    if (out.cursor.remaining() > 0) return;
    ++state.sendsOver;
    out.posted = true;
    out.last = state.sent;
    out.over = out.way != Outgoing::Way::place;
  }

  ATOLL_HOST_DEVICE bool canFold(Combining& combining, Job& job) {
    Incoming* const incoming = &incomingAt(combining.firstIncoming);
    bool ready = true;
    for (std::int32_t i = 0; i < combining.incoming; ++i) {
      Incoming& in = incoming[i];
      if (in.link == nullptr || in.window > 0 || in.over) continue;
      findPiece(in);
      if (failed_) return false;
      ready &= in.window > 0 || in.over;
    }
    if (!ready) return false;
    std::uint64_t bytes = combining.destination.run();
    for (std::int32_t i = 0; i < combining.incoming && bytes > 0; ++i) {
      const std::uint64_t there = incoming[i].link == nullptr ? incoming[i].cursor.run() : incoming[i].window;
      if (there < bytes) bytes = there;
    }
    if (bytes == 0) {
      combining.over = true;  // messages of nothing
      return false;
    }
    job.to = combining.destination.data();
    job.bytes = bytes;
    job.operands = incoming;
    job.operandCount = combining.incoming;
    job.finish = combining.finish;
    job.kind = Job::Kind::fold;
    const bool plain = combining.incoming == 1 && !combining.finish && incoming[0].packets == nullptr;
    if (plain) {
      job.kind = Job::Kind::copy;
      job.from = incoming[0].link == nullptr ? incoming[0].cursor.data() : incoming[0].data;
    }
    folding_ = &combining;
    return true;
  }

  /// Looks for the next piece from a peer.
  ATOLL_HOST_DEVICE void findPiece(Incoming& in) {
    LinkState& state = *in.link->state;
    if (state.receivesOver != in.turn) return;
    const std::uint64_t number = state.received + 1;
    const std::uint64_t place = number % kMails;
    const Mail& mail = in.link->here->mails[place];
    std::uint64_t tag = 0;
    if (x_.acquire(&mail.number) == number) {
      tag = mail.tag;
      in.data = mail.place == 0 ? in.link->slotsHere + place * program_.slotBytes
                                : reinterpret_cast<const std::byte*>(mail.place);
      in.packets = nullptr;
      in.window = mail.bytes;
    } else if (in.link->packetsHere == nullptr) {
      return;
    } else {
      const Packet* const packets = in.link->packetsHere + place * packetsOf(program_.packetBytes);
      if (flagOf(x_.load(packets)) != static_cast<std::uint32_t>(number)) return;
      std::uint32_t halves[kTagPackets] = {};
      for (std::uint64_t i = 0; i < kTagPackets; ++i) {
        if (!take(x_, packets + i, number, halves[i])) {
          fail(Failure::Kind::interrupted, in.link->peer, 0, 0);
          return;
        }
      }
      tag = static_cast<std::uint64_t>(halves[1]) << 32 | halves[0];
      in.packets = packets;
      in.window = in.unseen < program_.packetBytes ? in.unseen : program_.packetBytes;
    }
    if (tag != in.tag || in.window > in.unseen) {
      fail(Failure::Kind::mismatch, in.link->peer, in.tag, tag);
      return;
    }
    in.number = number;
    in.offset = 0;
    in.unseen -= in.window;
    if (in.window == 0) consume(in);
  }

  // ---- what has moved

  ATOLL_HOST_DEVICE void account() {
    if (moving_ != nullptr) {
      if (moving_->way == Outgoing::Way::slot) {
        post(*moving_, moved_, 0);
      } else {
        sent(*moving_, moved_);
      }
      moving_ = nullptr;
    }
    if (folding_ != nullptr) {
      folded(*folding_, moved_);
      folding_ = nullptr;
    }
  }

  ATOLL_HOST_DEVICE void folded(Combining& combining, std::uint64_t bytes) {
    combining.destination.advance(bytes);
    combining.over = combining.destination.remaining() == 0;
    for (std::int32_t i = 0; i < combining.incoming; ++i) {
      Incoming& in = incomingAt(combining.firstIncoming + i);
      if (in.link == nullptr) {
        in.cursor.advance(bytes);
        continue;
      }
      in.window -= bytes;
      in.offset += bytes;
      if (in.packets == nullptr) in.data += bytes;
      if (in.window == 0) consume(in);
    }
  }

  ATOLL_HOST_DEVICE void consume(Incoming& in) {
    LinkState& state = *in.link->state;
    ++state.received;
    x_.release(&in.link->there->consumed, state.received);
    if (in.unseen > 0) return;
    in.over = true;
    ++state.receivesOver;
  }

  // ---- failing

  /// Whether the run is to end, or another lane has failed.
  ATOLL_HOST_DEVICE bool endEarly() {
    if (x_.look(&run_.control->failing) != 0) {
      failed_ = true;
    } else if (x_.interrupted()) {
      fail(Failure::Kind::interrupted, awaited(), 0, 0);
    }
    return failed_;
  }

  /// A peer without whom the round does not go on; -1: the lane waits for another.
  ATOLL_HOST_DEVICE std::int32_t awaited() const {
    if (!entered_) return -1;
    for (std::int32_t i = 0; i < round().combines; ++i) {
      const Combining& combining = combiningAt(i);
      for (std::int32_t k = 0; k < combining.incoming; ++k) {
        const Incoming& in = incomingAt(combining.firstIncoming + k);
        if (in.link != nullptr && !in.over && in.window == 0) return in.link->peer;
      }
    }
    for (std::int32_t i = 0; i < outgoing_; ++i) {
      if (!outgoingAt(i).over) return outgoingAt(i).link->peer;
    }
    return -1;
  }

  ATOLL_HOST_DEVICE void fail(Failure::Kind kind, std::int32_t peer, std::uint64_t expected, std::uint64_t got) {
    failed_ = true;
    Control& control = *run_.control;
    if (x_.add(&control.failing, 1) != 0) return;
    Failure& failure = *run_.failure;
    failure.lane = laneIndex_;
    failure.tile = tile_;
    failure.loop = loop_;
    failure.repetition = repetition_;
    failure.round = round_;
    failure.peer = peer;
    failure.expected = expected;
    failure.got = got;
    x_.release(&failure.kind, static_cast<std::uint64_t>(kind));
  }

  X& x_;
  const Run& run_;
  const Program& program_;
  const Lane& lane_;
  const std::int32_t laneIndex_;
  const Turn& turn_;
  const std::uint64_t call_;
  std::uint64_t tag_ = 0;
  LayoutView layout_;  ///< the program's, at this call's buffers
  std::int32_t tile_ = 0;
  std::int32_t loop_ = 0;
  std::int32_t repetition_ = 0;
  std::int32_t round_ = 0;
  std::int32_t outgoing_ = 0;  ///< of the present round
  bool entered_ = false;
  bool failed_ = false;
  // What the job that the block is at will have moved.
  Outgoing* moving_ = nullptr;
  Combining* folding_ = nullptr;
  std::uint64_t moved_ = 0;
};

}  // namespace atl::device
