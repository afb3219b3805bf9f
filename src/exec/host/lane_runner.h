// SPDX-License-Identifier: Apache-2.0
// Walks one lane of a program: tiles, loops, repetitions, rounds; the steps of the present round are under way
// together.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/exec/host/combine_action.h"
#include "src/exec/host/program.h"
#include "src/exec/host/send_action.h"

namespace atl::exec {

class LaneRunner {
 public:
  /// Stands before the first round. Reuses what earlier calls allocated.
  void begin(const Program& program, std::size_t lane);

  /// Moves as far as it can; `lanes` are all the runners of the call, for rounds that wait for another lane. True if
  /// anything moved.
  Result<bool> progress(StepContext& context, std::span<const LaneRunner> lanes);

  [[nodiscard]] bool done() const { return done_; }
  /// Tiles whose whole program this lane has run.
  [[nodiscard]] std::int32_t tilesDone() const { return tilesDone_; }

  /// "lane 0, tile 2, round 3 (repetition 1)", and the links that it cannot go on without.
  [[nodiscard]] std::string position() const;
  void waitingFor(const LinkVisitor& visit) const;

 private:
  /// A place in the lane's program.
  struct Place {
    std::size_t loop = 0;
    std::size_t round = 0;
    std::int32_t repetition = 0;
  };

  void enter(StepContext& context);
  void forward(StepContext& context);
  void next();
  /// The place after this one, or false at the end of the tile.
  [[nodiscard]] bool following(Place& place) const;
  [[nodiscard]] const LoweredRound& roundAt(const Place& place) const {
    return lane_->loops[place.loop].rounds[place.round];
  }
  void beginSend(StepContext& context, SendAction& action, const LoweredStep& lowered, const Place& place,
                 const CombineAction* feeder);

  const Program* program_ = nullptr;
  const LoweredLane* lane_ = nullptr;
  std::size_t laneIndex_ = 0;
  Place place_;
  std::int32_t tile_ = 0;
  std::int32_t tilesDone_ = 0;
  bool entered_ = false;
  bool done_ = true;
  bool keepEmpty_ = false;
  std::vector<SendAction> sends_;  ///< of the present round
  std::vector<SendAction> early_;  ///< of the next round, fed by combines of the present one
  std::size_t earlyCount_ = 0;
  std::vector<CombineAction> combines_;
  std::vector<CombineAction::Source> sources_;
};

}  // namespace atl::exec
