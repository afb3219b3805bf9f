// SPDX-License-Identifier: Apache-2.0
// Bruck's all-to-all: a block that has j ranks to go travels 2^k ahead in round k if bit k of j is set. ceil(lg n)
// messages instead of n−1, at lg(n)/2 times the traffic: for many small blocks.
//
// The blocks of a round lie scattered, so they are packed into a stage, sent as one message, and dealt out: to the next
// stage, to a home slot where they wait for a later round, or to the output. Blocks of different pairs share slots and
// messages, hence equal blocks only.
//
//   all-to-all   ceil(lg n) (α + S/2 β + S γ)
//
// Source: J. Bruck et al., "Efficient algorithms for all-to-all communications in multiport message-passing systems",
// IEEE TPDS 8 (1997).
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

/// Scratch: n home slots (block j waits in slot j), a stage and an inbox of up to n/2 blocks each.
class Exchange {
 public:
  Exchange(PlanBuilder& b, Rank me, Rank n) : b_(b), me_(me), n_(n) {}

  static std::int32_t slots(Rank n) { return n + 2 * (n / 2); }

  void run() {
    b_.round().copy(output(me_, n_), input(me_, n_));
    Rank bit = 1;
    for (; bit < n_; bit *= 2) {
      pack(bit);
      const Rank count = travellersBefore(n_, bit);
      b_.round().send(area(n_, count), me_ + bit);
      b_.receive(area(n_ + n_ / 2, count), me_ - bit);
      b_.round();
      for (Rank j = bit; j < n_; ++j) {
        if ((j & bit) != 0 && !travelsNext(j, bit)) deal(j, bit);
      }
    }
  }

 private:
  /// How many of the blocks 0 … j−1 have the bit set.
  static Rank travellersBefore(Rank j, Rank bit) { return j / (2 * bit) * bit + std::max(j % (2 * bit) - bit, 0); }

  /// Whether a block that has just arrived leaves again in the next round.
  [[nodiscard]] static bool travelsNext(Rank j, Rank bit) { return (j & (2 * bit)) != 0; }

  /// A run of `count` mixed blocks at a slot; as blocks are equal its name tells only the size.
  [[nodiscard]] ChunkSpec area(std::int32_t slot, Rank count) const { return output(0, n_).span(count).in(slot); }

  /// Block j as it arrived in the round of the bit, by the name that the place it goes to has.
  [[nodiscard]] ChunkSpec arrived(Rank j, Rank bit, Rank name) const {
    return output(name, n_).in(n_ + n_ / 2 + travellersBefore(j, bit));
  }

  /// Into the stage: what leaves for the first time comes from the input, what has just arrived from the inbox, the
  /// rest from home.
  void pack(Rank bit) {
    for (Rank j = bit; j < n_; ++j) {
      if ((j & bit) == 0) continue;
      const std::int32_t slot = n_ + travellersBefore(j, bit);
      const Rank name = onCircle(me_ + j, n_);
      const bool neverMoved = (j & (bit - 1)) == 0;
      const bool justArrived = bit > 1 && (j & (bit / 2)) != 0;
      const ChunkSpec source = neverMoved    ? input(name, n_)
                               : justArrived ? arrived(j, bit / 2, name)
                                             : output(name, n_).in(j);
      b_.copy(output(name, n_).in(slot), source);
    }
  }

  /// From the inbox to the output if the block has arrived for good, or to its home.
  void deal(Rank j, Rank bit) {
    const bool there = j < 2 * bit;
    const Rank name = onCircle(me_ - j, n_);
    b_.copy(there ? output(name, n_) : output(name, n_).in(j), arrived(j, bit, name));
  }

  PlanBuilder& b_;
  Rank me_, n_;
};

bool serves(Collective collective, Rank /*ranks*/, bool /*ordered*/) {
  return collective == Collective::allToAll;
}

Plan generate(const PlanRequest& request) {
  const Rank n = request.ranks;
  if (n == 1) return soloPlan(request, kBruck.name);
  PlanBuilder b(request, kBruck.name);
  b.scratch(Exchange::slots(n), n);
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share);
    Exchange(b, request.rank, n).run();
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double rounds = ceilLog2(query.ranks);
  const double moved = rounds * query.bytes / 2;
  return Cost::alike(query.ranks, rounds,
                     {2 * rounds, moved, moved, moved, rounds * query.bytes + query.bytes / query.ranks});
}

}  // namespace

const Algorithm kBruck{
    .name = "bruck",
    .summary = "blocks travel in jumps of powers of two; logarithmic messages for small blocks",
    .serves = serves,
    .generate = generate,
    .cost = cost,
    .unequalBlocks = false,
};

}  // namespace atl::plan
