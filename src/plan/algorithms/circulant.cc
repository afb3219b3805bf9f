// SPDX-License-Identifier: Apache-2.0
// Circulant graph: reduce-scatter and all-gather in ceil(lg n) rounds and optimal traffic for any n, power of two or
// not.
//
// Count blocks from my own: block 0 is mine, block i belongs to the rank i ahead. Halve n again and again, rounding up:
// n = s0 > s1 > … > sq = 1. In round k of the reduce-scatter a rank has s(k) partial blocks; it sends the upper ones,
// from s(k+1) on, to the rank s(k+1) ahead, whose blocks 0, 1, … they are, and folds what comes from behind into its
// lower ones. The all-gather is the same backwards; the all-reduce is both. A run of blocks that passes the last rank
// is two messages.
//
//   reduce-scatter   ceil(lg n) α + (n−1)/n S β + 2(n−1)/n S γ
//   all-gather       ceil(lg n) α + (n−1)/n S β
//   all-reduce       the sum of both
//
// Source: J. L. Träff, "Optimal, non-pipelined reduce-scatter and allreduce algorithms", arXiv 2410.14234 (2024).
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

/// n, ceil(n/2), …, 1.
std::vector<Rank> halvings(Rank n) {
  std::vector<Rank> sizes{n};
  while (sizes.back() > 1) sizes.push_back((sizes.back() + 1) / 2);
  return sizes;
}

/// One round of the reduce-scatter: `size` partial blocks become `kept`. The chunks come from place(block, offset from
/// mine).
template <class From, class To>
void halve(PlanBuilder& b, const PlanRequest& request, Rank size, Rank kept, const From& source, const To& target) {
  const Rank n = request.ranks;
  const Rank me = request.rank;
  b.round();
  forEachRun(me + kept, size - kept, n, [&](Rank block, Rank length, Rank offset) {
    b.send(source(block, kept + offset).span(length), me + kept);
  });
  forEachRun(me, size - kept, n, [&](Rank block, Rank length, Rank offset) {
    b.combine(target(block, offset).span(length), {local(source(block, offset).span(length)), from(me - kept)},
              kept == 1);
  });
}

/// Partial blocks gather in `partial` (output or scratch) and block me ends in output.
template <class Place>
void reduceScatter(PlanBuilder& b, const PlanRequest& request, const Place& partial) {
  const Rank n = request.ranks;
  const auto raw = [n](Rank block, Rank /*offset*/) { return input(block, n); };
  const auto result = [n](Rank block, Rank /*offset*/) { return output(block, n); };
  const std::vector<Rank> sizes = halvings(n);
  for (std::size_t k = 0; k + 1 < sizes.size(); ++k) {
    const Rank size = sizes[k];
    const Rank kept = sizes[k + 1];
    if (k == 0) {
      kept == 1 ? halve(b, request, size, kept, raw, result) : halve(b, request, size, kept, raw, partial);
      // Odd n: nothing comes for the last kept block, but the next round sends it among partial ones.
      const Rank last = onCircle(request.rank + kept - 1, n);
      if (size - kept < kept) b.copy(partial(last, kept - 1), input(last, n));
    } else {
      kept == 1 ? halve(b, request, size, kept, partial, result) : halve(b, request, size, kept, partial, partial);
    }
  }
}

/// The halvings backwards. Block me is already in the output, or (`ownInInput`) still to be copied there.
void allGather(PlanBuilder& b, const PlanRequest& request, bool ownInInput) {
  const Rank n = request.ranks;
  const Rank me = request.rank;
  const std::vector<Rank> sizes = halvings(n);
  for (std::size_t k = sizes.size() - 1; k-- > 0;) {
    const Rank size = sizes[k];
    const Rank kept = sizes[k + 1];
    const bool own = ownInInput && kept == 1;
    b.round();
    forEachRun(me, size - kept, n, [&](Rank block, Rank length, Rank /*offset*/) {
      b.send((own ? input(block, n) : output(block, n)).span(length), me - kept);
    });
    forEachRun(me + kept, size - kept, n,
               [&](Rank block, Rank length, Rank /*offset*/) { b.receive(output(block, n).span(length), me + kept); });
    if (own) b.copy(output(me, n), input(me, n));
  }
}

bool serves(Collective collective, Rank /*ranks*/, bool ordered) {
  return collective == Collective::allGather ||
         (!ordered && (collective == Collective::reduceScatter || collective == Collective::allReduce));
}

Plan generate(const PlanRequest& request) {
  const Rank n = request.ranks;
  if (n == 1) return soloPlan(request, kCirculant.name);
  PlanBuilder b(request, kCirculant.name);
  if (request.collective == Collective::reduceScatter && n > 2) b.scratch((n + 1) / 2, n);
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share);
    switch (request.collective) {
      case Collective::allReduce:
        reduceScatter(b, request, [n](Rank block, Rank /*offset*/) { return output(block, n); });
        allGather(b, request, false);
        break;
      case Collective::reduceScatter:
        reduceScatter(b, request, [n](Rank block, Rank offset) { return output(block, n).in(offset); });
        break;
      default: allGather(b, request, true); break;
    }
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double rounds = ceilLog2(query.ranks);
  const double messages = 3 * rounds;  // one or two out and in, as a run passes the last rank or not
  const double others = (n - 1) / n * query.bytes;
  switch (query.collective) {
    case Collective::allReduce:
      return Cost::alike(n, 2 * rounds, {2 * messages, 2 * others, 2 * others, 2 * others, 2 * others});
    case Collective::reduceScatter: return Cost::alike(n, rounds, {messages, others, others, others, 2 * others});
    default: return Cost::alike(n, rounds, {messages, others, others, others, query.bytes / n});
  }
}

}  // namespace

const Algorithm kCirculant{
    .name = "circulant",
    .summary =
        "halving and doubling on a circulant graph: logarithmic rounds and least traffic for any number of ranks",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
