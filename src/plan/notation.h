// SPDX-License-Identifier: Apache-2.0
// How pieces of a plan are written for people: in errors, in the text form and in drawings.
#pragma once

#include <string>
#include <string_view>

#include "src/plan/plan.h"

namespace atl::plan {

/// "input", "output", "scratch".
std::string_view nameOf(Buffer buffer);

/// What a step does, in the field's words; derived from its operands.
enum class Action : std::uint8_t { send, receive, copy, reduce, receiveReduce };
Action actionOf(const Step& step);

/// "send", "recv", "copy", "reduce", "recv-reduce".
std::string_view nameOf(Action action);

/// The short form: `output[3/8]`, `output[3..5/8]`, `scratch#2[3/8]`; what advances is shown as a formula in the
/// repetition k, as in `output[(3-k)/8]`, to be taken modulo the parts (or slots).
std::string brief(const Chunk& chunk);

/// "rank 3", "rank (3+k)".
std::string brief(const Peer& peer);

/// The long form: "output part 3 of 8", "scratch slot 2 (part 3 of 8)".
std::string describe(const Chunk& chunk);

/// Where in a family something happens; −1 leaves a level out.
struct Where {
  Rank rank = 0;
  std::int32_t lane = -1;
  std::int32_t loop = -1;
  std::int32_t repetition = -1;
  std::int32_t round = -1;
  std::int32_t step = -1;
};

/// "rank 3, lane 0, loop 1, repetition 2, round 0, step 1".
std::string describe(const Where& where);

}  // namespace atl::plan
