// SPDX-License-Identifier: Apache-2.0
// When things happen, for a drawing: a family unrolled into columns of time, one message latency each.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "src/plan/notation.h"
#include "src/plan/plan.h"

namespace atl::plan {

/// A combine, repetition applied.
struct CombineEvent {
  Where where;
  std::int32_t column = 0;
  Action action = Action::copy;
  Chunk chunk;
  bool finish = false;
};

/// A message from the column where it is sent to the combine that takes it.
struct MessageEvent {
  Where where;  ///< of the send
  std::int32_t column = 0;
  Chunk chunk;
  Rank to = 0;
  std::optional<std::size_t> combine;  ///< index of the combine; none if it was not unrolled, or the plan lacks it
};

struct SpaceTime {
  std::vector<CombineEvent> combines;
  std::vector<MessageEvent> messages;
  std::int32_t columns = 0;
  bool complete = true;  ///< false if a lane has more rounds than were unrolled
};

/// Unrolls the first `maxRounds` rounds of every lane. A round begins one column after the lane's last one has ended; a
/// combine happens where its last message is sent, or later. Total for any plans that pass checkShape(), sound or not.
SpaceTime unroll(std::span<const Plan> plans, std::int32_t maxRounds);

}  // namespace atl::plan
