// SPDX-License-Identifier: Apache-2.0
// The verifier: proves a family of plans (one per rank) by running it symbolically.
//
// Each element class of the payload is followed as the set of contributions it holds. Messages are synchronous (no
// buffering), and a combine takes its messages together, which is the strictest link there is; programs have no choice
// in what they receive next, so one complete run without buffering proves every interleaving with any buffering free of
// deadlock.
#pragma once

#include <cstdint>
#include <span>

#include "src/base/result.h"
#include "src/plan/plan.h"

namespace atl::plan {

struct VerifyOptions {
  bool inPlace = false;        ///< input and output are the collective's in-place form: the same memory
  bool unequalBlocks = false;  ///< prove it for the v-forms too: no message or copy joins chunks of different blocks
  /// Bounds on what a proof may cost; a family beyond them is refused (unsupported), not half proved. Work is counted
  /// in steps and cells touched (some 10 ns each); a cell is a part of the finest cut that the plans name.
  std::int64_t maxWork = std::int64_t{1} << 33;
  std::int64_t maxMemoryBytes = std::int64_t{4} << 30;
};

/// What was proved, for people.
struct Proof {
  Rank ranks = 0;
  std::int64_t steps = 0;  ///< executed, all ranks, repetitions counted
  std::int64_t messages = 0;
  std::int64_t rounds = 0;       ///< the longest chain of message latencies (critical path in rounds)
  std::int32_t scratchUsed = 0;  ///< slots, the largest over ranks
  bool ordered = false;          ///< every reduction was in rank order
};

/// Proves, for all ranks together:
///   * the family is one: same version, collective, ranks, root, shares, hash; plans[r].rank == r;
///   * every index, span, slot and peer is in range; no rank messages itself; a rank uses only the buffers that it has
///   (a
///     broadcast's input is the root's alone, a reduce's output likewise);
///   * every message has a sender and a receiver and the same parts at both ends; nothing waits for ever;
///   * no step reads a chunk that nothing wrote, and within a round (and between unordered lanes) no step writes what
///   another
///     reads or writes; lanes of one share of a tileable plan have no scratch in common;
///   * where the plan has several shares or is tileable, the lanes of a share cut the data in one number of parts;
///   * every output chunk ends with exactly the contributions it should: each rank's once, in rank order if the plan
///   says
///     `ordered`, finished exactly once, from the right block;
///   * no rank leaves a barrier before every rank has entered it;
///   * input is never written (unless in place), scratch stays within its bound.
/// The error's text names rank, lane, loop, repetition, round and step, and says what is wrong.
/// Plans of pointToPoint belong to one call and are refused: their blocks are not in the plan.
Result<Proof> verify(std::span<const Plan> plans, const VerifyOptions& options = {});

/// Whether this one rank's plan may run with input and output in the same memory without a snapshot of the input: no
/// round writes output where it or a later one still reads that input. Used by lowering; agrees with verify(inPlace).
bool safeInPlace(const Plan& plan);

}  // namespace atl::plan
