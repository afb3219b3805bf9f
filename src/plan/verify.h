// SPDX-License-Identifier: Apache-2.0
// The verifier: proves a family of plans (one per rank) by running it symbolically.
//
// Each element class of the payload is followed as the ordered list of contributions it holds. Messages are synchronous
// (no buffering), which is the strictest link there is; programs have no choice in what they receive next, so one complete
// run without buffering proves every interleaving with any buffering free of deadlock.
#pragma once

#include <cstdint>
#include <span>

#include "src/base/result.h"
#include "src/plan/plan.h"

namespace atl::plan {

struct VerifyOptions {
  bool inPlace = false;  ///< input and output are the collective's in-place form: the same memory
};

/// What was proved, for people.
struct Proof {
  Rank ranks = 0;
  std::int64_t steps = 0;         ///< executed, all ranks, repetitions counted
  std::int64_t messages = 0;
  std::int64_t rounds = 0;        ///< the longest chain of message latencies (critical path in rounds)
  std::int32_t scratchUsed = 0;   ///< slots, the largest over ranks
  bool ordered = false;           ///< every reduction was in rank order
};

/// Proves, for all ranks together:
///   * the family is one: same version, collective, ranks, root, shares, hash; plans[r].rank == r;
///   * every index, span, slot and peer is in range; no rank messages itself;
///   * every message has a sender and a receiver and the same parts at both ends; nothing waits for ever;
///   * no step reads a chunk that nothing wrote, and within a round (and between unordered lanes) no step writes what another
///     reads or writes;
///   * every output chunk ends with exactly the contributions it should: each rank's once, in rank order if the plan says
///     `ordered`, finished exactly once, from the right block;
///   * input is never written (unless in place), scratch stays within its bound.
/// The error's text names rank, lane, loop, repetition, round and step, and says what is wrong.
Result<Proof> verify(std::span<const Plan> plans, const VerifyOptions& options = {});

/// Whether this one rank's plan may run with input and output in the same memory without a snapshot of the input: no round
/// writes output where it or a later one still reads that input. Used by lowering; agrees with verify(inPlace).
bool safeInPlace(const Plan& plan);

}  // namespace atl::plan
