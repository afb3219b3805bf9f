// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/lane_runner.h"

namespace atl::exec {
namespace {

/// Below this a round is over before forwarding its pieces would gain anything.
constexpr std::size_t kForwardedFrom = 64 * 1024;

}  // namespace

void LaneRunner::begin(const Program& program, std::size_t lane) {
  program_ = &program;
  lane_ = &program.lanes[lane];
  laneIndex_ = lane;
  place_ = {};
  tile_ = tilesDone_ = 0;
  earlyCount_ = 0;
  entered_ = false;
  done_ = lane_->loops.empty();
  if (done_) tilesDone_ = program.layout.tiles();
  keepEmpty_ = program.sendsEmptyMessages();
}

void LaneRunner::beginSend(StepContext& context, SendAction& action, const LoweredStep& lowered, const Place& place,
                           const CombineAction* feeder) {
  const Chunk chunk = atRepetition(lowered.step->chunk, place.repetition, program_->plan->scratchSlots);
  action.begin(context, chunk, lane_->share, tile_, {lowered.row(place.repetition), lowered.perRow}, keepEmpty_,
               program_->ownCall(chunk), lowered.offer, feeder);
}

void LaneRunner::enter(StepContext& context) {
  const LoweredRound& r = roundAt(place_);
  std::size_t begun = 0;
  if (earlyCount_ > 0) {
    sends_.swap(early_);
    begun = earlyCount_;
    earlyCount_ = 0;
    for (std::size_t i = 0; i < begun; ++i) sends_[i].fed();
  }
  if (sends_.size() < r.sends.size()) sends_.resize(r.sends.size());
  if (combines_.size() < r.combines.size()) combines_.resize(r.combines.size());
  for (std::size_t i = begun; i < r.sends.size(); ++i) beginSend(context, sends_[i], r.sends[i], place_, nullptr);
  const std::int32_t scratchSlots = program_->plan->scratchSlots;
  for (std::size_t i = 0; i < r.combines.size(); ++i) {
    const LoweredStep& lowered = r.combines[i];
    LinkEnd* const* links = lowered.row(place_.repetition);
    sources_.clear();
    for (const Operand& operand : lowered.step->operands) {
      if (operand.isPeer()) {
        sources_.push_back({Chunk{}, *links++});
      } else {
        sources_.push_back({atRepetition(operand.chunk, place_.repetition, scratchSlots), nullptr});
      }
    }
    const Chunk chunk = atRepetition(lowered.step->chunk, place_.repetition, scratchSlots);
    const CombineAction::Traits traits{lowered.step->finish, lowered.lastTouch, lowered.offered,
                                       keepEmpty_ && lowered.perRow > 0};
    combines_[i].begin(context, chunk, lane_->share, tile_, sources_, traits, program_->ownCall(chunk));
  }
  entered_ = true;
  forward(context);
}

// Begins the leading sends of the next round whose chunks this round's combines produce. Only leading ones: the
// messages of a link must keep the order of the steps.
void LaneRunner::forward(StepContext& context) {
  if (context.forward == Path::off) return;
  Place after = place_;
  if (!following(after) || roundAt(after).after >= 0) return;
  const LoweredRound& now = roundAt(place_);
  const LoweredRound& then = roundAt(after);
  const std::int32_t scratchSlots = program_->plan->scratchSlots;
  if (early_.size() < then.sends.size()) early_.resize(then.sends.size());  // no growth below: feeders point into it
  for (const LoweredStep& send : then.sends) {
    const Chunk wanted = atRepetition(send.step->chunk, after.repetition, scratchSlots);
    // What can be delivered is best delivered as it is made, however short.
    const bool always = context.forward == Path::on || (!send.messages.empty() && context.deliver != Path::off);
    const std::size_t least = always ? 1 : kForwardedFrom;
    CombineAction* feeder = nullptr;
    for (std::size_t i = 0; i < now.combines.size() && feeder == nullptr; ++i) {
      if (combines_[i].done() || combines_[i].bytes() < least) continue;
      Chunk made = atRepetition(now.combines[i].step->chunk, place_.repetition, scratchSlots);
      // Strides are resolved by now; only what the chunks name counts.
      made.stride = wanted.stride;
      made.slotStride = wanted.slotStride;
      if (made == wanted) feeder = &combines_[i];
    }
    if (feeder == nullptr) return;
    SendAction& early = early_[earlyCount_++];
    beginSend(context, early, send, after, feeder);
    feeder->feeds(early, {send.row(after.repetition), send.perRow}, send.messages);
  }
}

bool LaneRunner::following(Place& place) const {
  const LoweredLoop& loop = lane_->loops[place.loop];
  if (++place.round < loop.rounds.size()) return true;
  place.round = 0;
  if (++place.repetition < loop.repeat) return true;
  place.repetition = 0;
  return ++place.loop < lane_->loops.size();
}

void LaneRunner::next() {
  entered_ = false;
  if (following(place_)) return;
  place_ = {};
  tilesDone_ = ++tile_;
  done_ = tile_ == program_->layout.tiles();
}

Result<bool> LaneRunner::progress(StepContext& context, std::span<const LaneRunner> lanes) {
  bool moved = false;
  while (!done_) {
    const LoweredRound& r = roundAt(place_);
    if (!entered_) {
      if (r.after >= 0 && lanes[static_cast<std::size_t>(r.after)].tilesDone() <= tile_) return moved;
      enter(context);
      moved = true;
    }
    bool complete = true;
    for (std::size_t i = 0; i < r.sends.size(); ++i) {
      if (sends_[i].done()) continue;
      auto result = sends_[i].progress(context);
      if (!result.ok()) return result;
      moved |= result.value();
      complete &= sends_[i].done();
    }
    for (std::size_t i = 0; i < r.combines.size(); ++i) {
      if (combines_[i].done()) continue;
      auto result = combines_[i].progress(context);
      if (!result.ok()) return result;
      moved |= result.value();
      complete &= combines_[i].done();
    }
    for (std::size_t i = 0; i < earlyCount_; ++i) {
      if (early_[i].done()) continue;
      auto result = early_[i].progress(context);
      if (!result.ok()) return result;
      moved |= result.value();
    }
    if (!complete) return moved;
    next();
    moved = true;
  }
  return moved;
}

std::string LaneRunner::position() const {
  return fmt::format("lane {}, tile {} of {}, loop {}, repetition {}, round {}", laneIndex_, tile_,
                     program_->layout.tiles(), place_.loop, place_.repetition, place_.round);
}

void LaneRunner::waitingFor(const LinkVisitor& visit) const {
  if (done_ || !entered_) return;
  const LoweredRound& r = roundAt(place_);
  bool any = false;
  const LinkVisitor its = [&](const LinkEnd& link) {
    any = true;
    visit(link);
  };
  for (std::size_t i = 0; i < r.sends.size(); ++i) sends_[i].waitingFor(its);
  for (std::size_t i = 0; i < r.combines.size(); ++i) combines_[i].waitingFor(its);
  if (any) return;
  // A combine that delivers waits for room at those that take what it makes.
  for (std::size_t i = 0; i < earlyCount_; ++i) early_[i].waitingFor(visit);
}

}  // namespace atl::exec
