// SPDX-License-Identifier: Apache-2.0
// Small families of plans written out by hand, so that the tests of the verifier and of the outside forms stand on
// nothing but the plan itself.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "src/plan/plan.h"

namespace atl::handmade {

inline std::int32_t around(std::int32_t value, std::int32_t size) {
  return ((value % size) + size) % size;
}

inline Chunk chunkOf(Buffer buffer, std::int32_t index, std::int32_t parts) {
  Chunk chunk;
  chunk.buffer = buffer;
  chunk.index = around(index, parts);
  chunk.parts = parts;
  return chunk;
}
inline Chunk in(std::int32_t index, std::int32_t parts) {
  return chunkOf(Buffer::input, index, parts);
}
inline Chunk out(std::int32_t index, std::int32_t parts) {
  return chunkOf(Buffer::output, index, parts);
}
inline Chunk scratch(std::int32_t slot, std::int32_t index, std::int32_t parts) {
  Chunk chunk = chunkOf(Buffer::scratch, index, parts);
  chunk.slot = slot;
  return chunk;
}
inline Chunk by(Chunk chunk, std::int32_t stride) {
  chunk.stride = stride;
  return chunk;
}

inline Step send(const Chunk& chunk, std::vector<Peer> to) {
  Step step;
  step.kind = Step::Kind::send;
  step.chunk = chunk;
  step.to = std::move(to);
  return step;
}
inline Step combine(const Chunk& to, std::vector<Operand> operands, bool finish = false) {
  Step step;
  step.kind = Step::Kind::combine;
  step.chunk = to;
  step.operands = std::move(operands);
  step.finish = finish;
  return step;
}
inline Operand local(const Chunk& chunk) {
  return Operand::local(chunk);
}
inline Operand from(Rank rank, Rank stride = 0) {
  return Operand::from(Peer{rank, stride});
}

inline Round round(std::vector<Step> steps) {
  Round r;
  r.steps = std::move(steps);
  return r;
}
inline Loop loop(std::int32_t repeat, std::vector<Round> rounds) {
  Loop l;
  l.repeat = repeat;
  l.rounds = std::move(rounds);
  return l;
}
inline Lane lane(std::vector<Loop> loops, std::int32_t share = 0) {
  Lane l;
  l.share = share;
  l.loops = std::move(loops);
  return l;
}

inline Plan header(Collective collective, std::string algorithm, Rank ranks, Rank rank, Rank root = kNoRank) {
  Plan plan;
  plan.collective = collective;
  plan.algorithm = std::move(algorithm);
  plan.ranks = ranks;
  plan.rank = rank;
  plan.root = root;
  plan.familyHash = generatedFamilyHash(plan);
  return plan;
}

/// Ring all-reduce of at least three ranks: loop 0 starts, loop 1 goes on, loop 2 completes, loop 3 passes on.
inline std::vector<Plan> ringAllReduce(Rank n) {
  std::vector<Plan> family;
  for (Rank me = 0; me < n; ++me) {
    const Peer next{around(me + 1, n), 0};
    const Operand previous = from(around(me - 1, n));
    Plan plan = header(Collective::allReduce, "ring", n, me);
    plan.tileable = true;
    plan.lanes = {lane({
        loop(1, {round({send(in(me, n), {next}), combine(out(me - 1, n), {local(in(me - 1, n)), previous})})}),
        loop(n - 2, {round({send(by(out(me - 1, n), -1), {next}),
                            combine(by(out(me - 2, n), -1), {local(by(in(me - 2, n), -1)), previous})})}),
        loop(n - 1, {round({send(by(out(me + 1, n), -1), {next}), combine(by(out(me, n), -1), {previous})})}),
    })};
    // The last reduction completes part me + 1: it stands alone, because it alone finishes.
    Loop& growing = plan.lanes[0].loops[1];
    Round last = round({send(out(me + 2, n), {next}), combine(out(me + 1, n), {local(in(me + 1, n)), previous}, true)});
    if (--growing.repeat == 0) {
      growing = loop(1, {last});
    } else {
      plan.lanes[0].loops.insert(plan.lanes[0].loops.begin() + 2, loop(1, {last}));
    }
    family.push_back(std::move(plan));
  }
  return family;
}

/// Every rank sends its input to all, and reduces all inputs in rank order.
inline std::vector<Plan> oneShotAllReduce(Rank n) {
  std::vector<Plan> family;
  for (Rank me = 0; me < n; ++me) {
    Plan plan = header(Collective::allReduce, "one-shot", n, me);
    plan.ordered = true;
    std::vector<Peer> others;
    std::vector<Operand> terms;
    for (Rank r = 0; r < n; ++r) {
      if (r == me) {
        terms.push_back(local(in(0, 1)));
      } else {
        others.push_back({r, 0});
        terms.push_back(from(r));
      }
    }
    plan.lanes = {lane({loop(1, {round({send(in(0, 1), others), combine(out(0, 1), terms, true)})})})};
    family.push_back(std::move(plan));
  }
  return family;
}

/// Rank r takes partial sums from rank r + 1 and passes them down to rank 0, the root; the sums wait in scratch.
inline std::vector<Plan> chainReduce(Rank n) {
  std::vector<Plan> family;
  for (Rank me = 0; me < n; ++me) {
    Plan plan = header(Collective::reduce, "chain", n, me, 0);
    plan.ordered = true;
    plan.tileable = true;
    if (me == n - 1) {
      plan.lanes = {lane({loop(1, {round({send(in(0, 1), {{me - 1, 0}})})})})};
    } else if (me == 0) {
      plan.lanes = {lane({loop(1, {round({combine(out(0, 1), {local(in(0, 1)), from(1)}, true)})})})};
    } else {
      plan.scratchSlots = 1;
      plan.lanes = {lane({loop(1, {round({combine(scratch(0, 0, 1), {local(in(0, 1)), from(me + 1)})}),
                                   round({send(scratch(0, 0, 1), {{me - 1, 0}})})})})};
    }
    family.push_back(std::move(plan));
  }
  return family;
}

/// In repetition k, rank r sends to r + 1 + k and receives from r − 1 − k.
inline std::vector<Plan> pairwiseAllToAll(Rank n) {
  std::vector<Plan> family;
  for (Rank me = 0; me < n; ++me) {
    Plan plan = header(Collective::allToAll, "pairwise", n, me);
    plan.lanes = {lane({
        loop(1, {round({combine(out(me, n), {local(in(me, n))})})}),
        loop(n - 1, {round({send(by(in(me + 1, n), 1), {Peer{around(me + 1, n), 1}}),
                            combine(by(out(me - 1, n), -1), {from(around(me - 1, n), -1)})})}),
    })};
    family.push_back(std::move(plan));
  }
  return family;
}

/// Every rank sends its block to all the others at once.
inline std::vector<Plan> directAllGather(Rank n) {
  std::vector<Plan> family;
  for (Rank me = 0; me < n; ++me) {
    Plan plan = header(Collective::allGather, "direct", n, me);
    Round all = round({combine(out(me, n), {local(in(me, n))})});
    for (Rank r = 0; r < n; ++r) {
      if (r == me) continue;
      all.steps.push_back(send(in(me, n), {Peer{r, 0}}));
      all.steps.push_back(combine(out(r, n), {from(r)}));
    }
    plan.lanes = {lane({loop(1, {all})})};
    family.push_back(std::move(plan));
  }
  return family;
}

/// Dissemination barrier: in round k, hear from the rank 2^k before.
inline std::vector<Plan> disseminationBarrier(Rank n) {
  std::vector<Plan> family;
  for (Rank me = 0; me < n; ++me) {
    Plan plan = header(Collective::barrier, "dissemination", n, me);
    std::vector<Round> rounds;
    for (Rank distance = 1; distance < n; distance *= 2) {
      rounds.push_back(round(
          {send(in(0, 1), {Peer{around(me + distance, n), 0}}), combine(out(0, 1), {from(around(me - distance, n))})}));
    }
    plan.lanes = {lane({loop(1, rounds)})};
    family.push_back(std::move(plan));
  }
  return family;
}

/// A broadcast from rank 0 to rank 1 whose second lane answers with nothing but its waiting: lane 1 passes on, in rank
/// 1's scratch, what lane 0 has received.
inline std::vector<Plan> twoLaneBroadcast() {
  std::vector<Plan> family;
  for (Rank me = 0; me < 3; ++me) {
    Plan plan = header(Collective::broadcast, "two-lane", 3, me, 0);
    const Round nothing = round({});
    if (me == 0) {
      plan.lanes = {lane({loop(1, {round({send(in(0, 1), {{1, 0}}), combine(out(0, 1), {local(in(0, 1))})})})}),
                    lane({loop(1, {nothing})})};
    } else if (me == 1) {
      Round passOn = round({send(out(0, 1), {{2, 0}})});
      passOn.after = 0;
      plan.lanes = {lane({loop(1, {round({combine(out(0, 1), {from(0)})})})}), lane({loop(1, {passOn})})};
    } else {
      plan.lanes = {lane({loop(1, {nothing})}), lane({loop(1, {round({combine(out(0, 1), {from(1)})})})})};
    }
    family.push_back(std::move(plan));
  }
  return family;
}

}  // namespace atl::handmade
