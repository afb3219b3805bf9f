// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/lane_runner.h"

namespace atl::exec {

void LaneRunner::begin(const Program& program, std::size_t lane) {
  program_ = &program;
  lane_ = &program.lanes[lane];
  laneIndex_ = lane;
  loop_ = round_ = 0;
  repetition_ = tile_ = tilesDone_ = 0;
  entered_ = false;
  done_ = lane_->loops.empty();
  if (done_) tilesDone_ = program.layout.tiles();
}

void LaneRunner::enter(StepContext& context) {
  const LoweredRound& r = round();
  const Plan& plan = *program_->plan;
  // A message that carries nothing must still be sent where it is the message that matters (a barrier), and where the two ends
  // learn each other's counts from it (point-to-point, the v-forms).
  const bool keepEmpty = plan.collective == Collective::barrier || plan.collective == Collective::pointToPoint ||
                         (program_->call.flags & 1) != 0;
  const auto ownCall = [&](const Chunk& chunk) {
    const auto& calls = program_->blockCalls[chunk.buffer == Buffer::input ? 0 : 1];
    return calls.empty() ? nullptr : &calls[static_cast<std::size_t>(chunk.index)];
  };
  if (sends_.size() < r.sends.size()) sends_.resize(r.sends.size());
  if (combines_.size() < r.combines.size()) combines_.resize(r.combines.size());
  for (std::size_t i = 0; i < r.sends.size(); ++i) {
    const LoweredStep& lowered = r.sends[i];
    const Chunk chunk = atRepetition(lowered.step->chunk, repetition_, plan.scratchSlots);
    sends_[i].begin(context, chunk, lane_->share, tile_, {lowered.row(repetition_), lowered.perRow}, keepEmpty, ownCall(chunk));
  }
  for (std::size_t i = 0; i < r.combines.size(); ++i) {
    const LoweredStep& lowered = r.combines[i];
    LinkEnd* const* links = lowered.row(repetition_);
    sources_.clear();
    for (const Operand& operand : lowered.step->operands) {
      if (operand.isPeer()) {
        sources_.push_back({Chunk{}, *links++});
      } else {
        sources_.push_back({atRepetition(operand.chunk, repetition_, plan.scratchSlots), nullptr});
      }
    }
    const Chunk chunk = atRepetition(lowered.step->chunk, repetition_, plan.scratchSlots);
    combines_[i].begin(context, chunk, lane_->share, tile_, sources_, lowered.step->finish, keepEmpty && lowered.perRow > 0,
                       ownCall(chunk));
  }
  entered_ = true;
}

void LaneRunner::next() {
  entered_ = false;
  const LoweredLoop& loop = lane_->loops[loop_];
  if (++round_ < loop.rounds.size()) return;
  round_ = 0;
  if (++repetition_ < loop.repeat) return;
  repetition_ = 0;
  if (++loop_ < lane_->loops.size()) return;
  loop_ = 0;
  tilesDone_ = ++tile_;
  done_ = tile_ == program_->layout.tiles();
}

Result<bool> LaneRunner::progress(StepContext& context, std::span<const LaneRunner> lanes) {
  bool moved = false;
  while (!done_) {
    const LoweredRound& r = round();
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
    if (!complete) return moved;
    next();
    moved = true;
  }
  return moved;
}

std::string LaneRunner::position() const {
  return fmt::format("lane {}, tile {} of {}, loop {}, repetition {}, round {}", laneIndex_, tile_, program_->layout.tiles(),
                     loop_, repetition_, round_);
}

void LaneRunner::waitingFor(std::vector<const LinkEnd*>& peers) const {
  if (done_ || !entered_) return;
  for (std::size_t i = 0; i < round().sends.size(); ++i) sends_[i].waitingFor(peers);
  for (std::size_t i = 0; i < round().combines.size(); ++i) combines_[i].waitingFor(peers);
}

}  // namespace atl::exec
