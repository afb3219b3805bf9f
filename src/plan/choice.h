// SPDX-License-Identifier: Apache-2.0
// What the chooser is asked for.
#pragma once

#include <cstdint>
#include <string>

#include "src/plan/algorithm.h"

namespace atl::plan {

/// What to choose for.
struct Choice {
  Collective collective = Collective::allReduce;
  Rank ranks = 1;
  Rank root = kNoRank;
  std::uint64_t bytes = 0;            ///< payload, nccl-tests' "size"
  bool ordered = false;               ///< the operator does not commute
  bool unequalBlocks = false;         ///< a v-form
  std::uint64_t tileBytes = 1 << 20;  ///< data of one pass of a tileable plan
};

/// Whether the algorithm has a plan for the call.
bool canServe(const Algorithm& algorithm, const Choice& choice);

/// What the call needs beyond its collective: " on 6 ranks in rank order over unequal blocks".
std::string needsOf(const Choice& choice);

/// Tiles into which the executor cuts a payload: 1 unless the plan is tileable and the payload exceeds a tile.
std::int32_t tilesFor(bool tileable, std::uint64_t payloadBytes, std::uint64_t tileBytes);

}  // namespace atl::plan
