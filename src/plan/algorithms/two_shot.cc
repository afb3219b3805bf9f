// SPDX-License-Identifier: Apache-2.0
// Two-shot: the payload in n parts, part i owned by rank i. First shot: everything straight to the owner, who folds all
// n operands at once in rank order. Second shot: the owners send their parts straight to who needs them. Least traffic
// at two latencies, with a message per pair of ranks.
//
//   all-reduce       2 α + 2(n−1)/n S β + S γ
//   reduce-scatter   α + (n−1)/n S β + S γ         the first shot alone
//   reduce           2 α + 2(n−1)/n S β + S γ      the second shot goes to the root
//   broadcast        2 α + 2(n−1)/n S β            the first shot comes from the root ("scatter-allgather")
//
// Safe in place: a rank writes only its own part while its input is read.
//
// Source: R. Thakur, R. Rabenseifner, W. Gropp, "Optimization of collective communication operations in MPICH", IJHPCA
// 19 (2005) for the composition; "two-shot" in GPU libraries.
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/peers.h"

namespace atl::plan {
namespace {

/// Every part of my input to its owner.
void sendToOwners(PlanBuilder& b, Rank me, Rank n) {
  for (const Rank owner : others(me, n)) b.send(input(owner, n), owner);
}

void receiveFromOwners(PlanBuilder& b, Rank me, Rank n) {
  for (const Rank owner : others(me, n)) b.receive(output(owner, n), owner);
}

void allReduce(PlanBuilder& b, Rank me, Rank n) {
  sendToOwners(b.round(), me, n);
  b.combine(output(me, n), everyRanks(input(me, n), me, n), true);
  b.round().send(output(me, n), others(me, n));
  receiveFromOwners(b, me, n);
}

void reduceScatter(PlanBuilder& b, Rank me, Rank n) {
  sendToOwners(b.round(), me, n);
  b.combine(output(me, n), everyRanks(input(me, n), me, n), true);
}

void reduce(PlanBuilder& b, Rank me, Rank n, Rank root) {
  sendToOwners(b.round(), me, n);
  if (me == root) {
    b.combine(output(me, n), everyRanks(input(me, n), me, n), true);
    receiveFromOwners(b.round(), me, n);
  } else {
    b.combine(input(me, n).in(0), everyRanks(input(me, n), me, n), true);
    b.round().send(input(me, n).in(0), root);
  }
}

void broadcast(PlanBuilder& b, Rank me, Rank n, Rank root) {
  if (me == root) {
    sendToOwners(b.round(), me, n);
    b.copy(output(0, n).span(n), input(0, n).span(n));
    b.round().send(input(me, n), others(me, n));
    return;
  }
  b.round().receive(output(me, n), root);
  std::vector<Rank> receivers = others(me, n);
  std::erase(receivers, root);
  b.round().send(output(me, n), receivers);
  receiveFromOwners(b, me, n);
}

bool serves(Collective collective, Rank /*ranks*/, bool /*ordered*/) {
  return collective == Collective::allReduce || collective == Collective::reduceScatter ||
         collective == Collective::reduce || collective == Collective::broadcast;
}

Plan generate(const PlanRequest& request) {
  const Rank n = request.ranks;
  const Rank me = request.rank;
  if (n == 1) return soloPlan(request, kTwoShot.name);
  PlanBuilder b(request, kTwoShot.name);
  b.ordered(isReducing(request.collective));
  if (request.collective == Collective::reduce && me != request.root) b.scratch(1, n);
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share);
    switch (request.collective) {
      case Collective::allReduce: allReduce(b, me, n); break;
      case Collective::reduceScatter: reduceScatter(b, me, n); break;
      case Collective::reduce: reduce(b, me, n, request.root); break;
      default: broadcast(b, me, n, request.root); break;
    }
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double peers = n - 1;
  const double size = query.bytes;
  const double part = size / n;
  const double shot = peers * part;  // everything but my own part
  switch (query.collective) {
    case Collective::allReduce: return Cost::alike(n, 2, {4 * peers, 2 * shot, shot + part, 2 * shot, size}, peers);
    case Collective::reduceScatter: return Cost::alike(n, 1, {2 * peers, shot, shot, shot, size}, peers);
    case Collective::reduce: {
      const double moved = n * shot + shot;
      return {2,
              {3 * peers, shot, shot, 2 * shot, size},
              {2 * n * peers + 2 * peers, moved, moved, moved, n * size},
              peers};
    }
    default: {
      const double moved = peers * size;
      return {2,
              {2 * peers, shot + peers * part, size, size, size},
              {2 * peers + 2 * peers * peers, moved, shot + size, moved, size},
              peers};
    }
  }
}

}  // namespace

const Algorithm kTwoShot{
    .name = "two-shot",
    .summary = "every part straight to its owner, then straight to everyone who needs it",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
