// SPDX-License-Identifier: Apache-2.0
// One-shot: every rank that has something sends the whole of it straight to every rank that needs it, in one round; a
// rank that reduces folds all operands at once, in rank order. One latency, but n times the traffic: for the smallest
// payloads.
//
//   all-reduce   α + (n−1) S β + n S γ
//   reduce       α + (n−1) S β + n S γ, all at the root
//   all-gather   α + (n−1)/n S β
//   broadcast    α + (n−1) S β, all at the root
//
// Source: well known; "flat tree" or "linear" in MPI libraries, "one-shot" or "all-pairs" in GPU libraries.
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/peers.h"

namespace atl::plan {
namespace {

void lane(PlanBuilder& b, const PlanRequest& request) {
  const Rank n = request.ranks;
  const Rank me = request.rank;
  const Rank root = request.root;
  b.round();
  switch (request.collective) {
    case Collective::allReduce:
      b.send(input(), others(me, n));
      b.combine(output(), everyRanks(input(), me, n), true);
      break;
    case Collective::reduce:
      if (me == root) {
        b.combine(output(), everyRanks(input(), me, n), true);
      } else {
        b.send(input(), root);
      }
      break;
    case Collective::allGather:
      b.send(input(me, n), others(me, n)).copy(output(me, n), input(me, n));
      for (const Rank peer : others(me, n)) b.receive(output(peer, n), peer);
      break;
    default:
      if (me == root) {
        b.send(input(), others(me, n)).copy(output(), input());
      } else {
        b.receive(output(), root);
      }
  }
}

bool serves(Collective collective, Rank /*ranks*/, bool /*ordered*/) {
  return collective == Collective::allReduce || collective == Collective::reduce ||
         collective == Collective::allGather || collective == Collective::broadcast;
}

Plan generate(const PlanRequest& request) {
  if (request.ranks == 1) return soloPlan(request, kOneShot.name);
  PlanBuilder b(request, kOneShot.name);
  b.ordered(isReducing(request.collective));
  for (std::int32_t share = 0; share < request.shares; ++share) lane(b.lane(share), request);
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double peers = n - 1;
  const double size = query.bytes;
  switch (query.collective) {
    case Collective::allReduce:
      return Cost::alike(n, 1, {2 * peers, peers * size, size, peers * size, n * size}, peers);
    case Collective::allGather: {
      const double block = size / n;
      return Cost::alike(n, 1, {2 * peers, peers * block, block, peers * block, block}, peers);
    }
    case Collective::reduce:  // all at the root, from leaves that do little
      return {1,
              {peers, 0, 0, peers * size, n * size},
              {2 * peers, peers * size, peers * size, peers * size, n * size},
              peers};
    default: return {1, {peers, peers * size, size, 0, size}, {2 * peers, peers * size, size, peers * size, size}};
  }
}

}  // namespace

const Algorithm kOneShot{
    .name = "one-shot",
    .summary = "everything straight to everyone who needs it, in one round",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
