// SPDX-License-Identifier: Apache-2.0
// Walks a lane's program round by round, with loops unrolled.
#pragma once

#include <cstdint>

#include "src/plan/notation.h"
#include "src/plan/plan.h"

namespace atl::plan {

class LaneCursor {
 public:
  /// The lane must outlive the cursor.
  explicit LaneCursor(const Lane& lane) : lane_(&lane) { skipEmptyLoops(); }

  [[nodiscard]] bool done() const { return loop_ == lane_->loops.size(); }
  [[nodiscard]] const Round& round() const { return lane_->loops[loop_].rounds[round_]; }
  [[nodiscard]] std::int32_t repetition() const { return repetition_; }
  /// Rounds passed since the lane began.
  [[nodiscard]] std::int64_t position() const { return position_; }

  void next() {
    ++position_;
    const Loop& loop = lane_->loops[loop_];
    if (++round_ < loop.rounds.size()) return;
    round_ = 0;
    if (++repetition_ < loop.repeat) return;
    repetition_ = 0;
    ++loop_;
    skipEmptyLoops();
  }

  /// The cursor's place, for an error's text. The repetition is left out where the loop runs once.
  [[nodiscard]] Where where(Rank rank, std::int32_t lane, std::int32_t step = -1) const {
    Where w{rank, lane, -1, -1, -1, step};
    if (done()) return w;
    w.loop = static_cast<std::int32_t>(loop_);
    w.repetition = lane_->loops[loop_].repeat > 1 ? repetition_ : -1;
    w.round = static_cast<std::int32_t>(round_);
    return w;
  }

 private:
  void skipEmptyLoops() {
    while (!done() && (lane_->loops[loop_].repeat <= 0 || lane_->loops[loop_].rounds.empty())) ++loop_;
  }

  const Lane* lane_;
  std::size_t loop_ = 0;
  std::size_t round_ = 0;
  std::int32_t repetition_ = 0;
  std::int64_t position_ = 0;
};

}  // namespace atl::plan
