// SPDX-License-Identifier: Apache-2.0
// A section of a composed all-to-all: an exchange among a few ranks, each message of which is many blocks. Blocks are
// equal, so those of different pairs may share a message, and a run of them in scratch is named by its size alone.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "src/plan/builder.h"

namespace atl::plan {

/// A block in input, or in a slot of scratch.
struct Spot {
  Buffer buffer = Buffer::input;
  std::int32_t index = 0;
};

/// A run of blocks in one buffer.
struct SpotRun {
  Spot first;
  std::int32_t count = 0;
};

/// Blocks that are copied to a run of spots: to scratch, or to the output at block `to.index`.
struct Copy {
  std::vector<Spot> from;
  Spot to;
};

/// Copies that are made in one round.
using Copies = std::vector<Copy>;

struct Exchange {
  Plan plan;                                     ///< an all-to-all, gather or scatter that isStraight()
  std::vector<Rank> ranks;                       ///< by rank of `plan`
  std::vector<std::optional<SpotRun>> outgoing;  ///< by block of its input: what is sent as that; none: nothing
  std::vector<std::optional<SpotRun>> incoming;  ///< by block of its output: where what comes is put
};

/// The spots as one run, if they are.
std::optional<SpotRun> asRun(std::span<const Spot> spots);

/// Whether a plan can be an exchange's: its messages are blocks, from the input to the output.
bool isStraight(const Plan& plan);

/// Adds one lane's rounds to the open lane of the builder. `blocks` is the number of the whole payload's.
void write(PlanBuilder& builder, const Exchange& exchange, std::int32_t lane, std::int32_t blocks);
void write(PlanBuilder& builder, const Copies& copies, std::int32_t lane, std::int32_t blocks);

}  // namespace atl::plan
