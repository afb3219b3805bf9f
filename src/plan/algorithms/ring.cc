// SPDX-License-Identifier: Apache-2.0
// Ring: every rank speaks to its two neighbours only, so every link of a ring carries the same and all the time.
//
// All-reduce cuts the payload in n parts. In n−1 rounds each part travels once round the ring and gathers every rank's
// contribution; in n−1 more the finished parts travel round once again. Reduce-scatter is the first half, all-gather
// the second. Broadcast and reduce cut the payload in two halves which pass along the ring in opposite directions, tile
// after tile. Shares alternate in direction, so that both directions of the links are used. Neighbours are those of
// island_order.h, so that the ring enters and leaves each island once.
//
//   all-reduce       2(n−1) α + 2(n−1)/n S β + 2(n−1)/n S γ      bandwidth-optimal, latency linear in n
//   reduce-scatter,
//   all-gather       (n−1) α + (n−1)/n S β (+ 2(n−1)/n S γ)
//   broadcast,reduce (n−2+t) (α + S/t β) over t tiles
//
// Source: the bucket or ring algorithm; P. Patarasuk and X. Yuan, "Bandwidth optimal all-reduce algorithms for clusters
// of workstations", JPDC 69 (2009).
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/chain.h"
#include "src/plan/algorithms/island_order.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

/// Neighbours in the direction that a share runs: +1 or −1.
struct Direction {
  Rank step, next, previous;

  Direction(Rank me, std::int32_t share) : step(share % 2 == 0 ? 1 : -1), next(me + step), previous(me - step) {}
};

/// Part me+step ends up complete here: in round k part me−k·step leaves and part me−(k+1)·step grows.
void allReduce(PlanBuilder& b, Rank me, Rank n, const Direction& d) {
  if (n > 2) {
    const Rank grows = me - d.step;
    b.once().round().send(input(me, n), d.next);
    b.combine(output(grows, n), {local(input(grows, n)), from(d.previous)});

    const Rank growsNext = me - 2 * d.step;
    b.repeat(n - 3).round().send(output(grows, n).by(-d.step), d.next);
    b.combine(output(growsNext, n).by(-d.step), {local(input(growsNext, n).by(-d.step)), from(d.previous)});
  }
  const Rank mine = me + d.step;
  const Rank leaves = me + 2 * d.step;
  b.once().round().send(n == 2 ? input(leaves, n) : output(leaves, n), d.next);
  b.combine(output(mine, n), {local(input(mine, n)), from(d.previous)}, true);

  b.repeat(n - 1).round().send(output(mine, n).by(-d.step), d.next);
  b.receive(output(me, n).by(-d.step), d.previous);
}

/// Block me ends up complete here; what passes through waits in two slots of scratch, one coming while one goes.
void reduceScatter(PlanBuilder& b, Rank me, Rank n, const Direction& d) {
  if (n == 2) {
    b.round().send(input(me - d.step, n), d.next);
    b.combine(output(me, n), {local(input(me, n)), from(d.previous)}, true);
    return;
  }
  const Rank grows = me - 2 * d.step;
  b.once().round().send(input(me - d.step, n), d.next);
  b.combine(input(grows, n).in(0), {local(input(grows, n)), from(d.previous)});

  const Rank growsNext = me - 3 * d.step;
  b.repeat(n - 3).round().send(input(grows, n).by(-d.step).in(0, 1), d.next);
  b.combine(input(growsNext, n).by(-d.step).in(1, 1), {local(input(growsNext, n).by(-d.step)), from(d.previous)});

  b.once().round().send(input(me + d.step, n).in((n - 3) % 2), d.next);
  b.combine(output(me, n), {local(input(me, n)), from(d.previous)}, true);
}

void allGather(PlanBuilder& b, Rank me, Rank n, const Direction& d) {
  b.once().round().send(input(me, n), d.next).copy(output(me, n), input(me, n));
  b.receive(output(me - d.step, n), d.previous);

  b.repeat(n - 2).round().send(output(me - d.step, n).by(-d.step), d.next);
  b.receive(output(me - 2 * d.step, n).by(-d.step), d.previous);
}

bool serves(Collective collective, Rank /*ranks*/, bool ordered) {
  switch (collective) {
    case Collective::allReduce:
    case Collective::reduceScatter:
    case Collective::reduce: return !ordered;
    case Collective::allGather:
    case Collective::broadcast: return true;
    default: return false;
  }
}

Plan generate(const PlanRequest& request) {
  const Rank n = request.ranks;
  if (n == 1) return soloPlan(request, kRing.name);

  PlanBuilder b(request, kRing.name);
  b.tileable().alongIslands(request);
  const bool oneBlock = request.collective == Collective::broadcast || request.collective == Collective::reduce;
  const std::int32_t shares = oneBlock ? 2 * request.shares : request.shares;
  b.shares(shares);
  if (request.collective == Collective::reduceScatter && n > 2) b.scratch(n == 3 ? 1 : 2, n);
  if (request.collective == Collective::reduce && request.rank != request.root) b.scratch(1, 1);
  for (std::int32_t share = 0; share < shares; ++share) {
    const PlanRequest seated = seatedRequest(request, IslandOrder(request, share));
    const Rank me = seated.rank;
    const Direction d(me, share);
    b.lane(share);
    switch (request.collective) {
      case Collective::allReduce: allReduce(b, me, n, d); break;
      case Collective::reduceScatter: reduceScatter(b, me, n, d); break;
      case Collective::allGather: allGather(b, me, n, d); break;
      case Collective::broadcast: chainBroadcast(b, seated, d.step); break;
      default: chainReduce(b, seated, d.step); break;
    }
  }
  return inIslandOrder(std::move(b).build(), request);
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double passes = (n - 1) * query.tiles;
  const double others = (n - 1) / n * query.bytes;
  switch (query.collective) {
    case Collective::allReduce:
      return Cost::alike(n, 2 * passes, {4 * passes, 2 * others, 2 * others, 2 * others, 2 * others});
    case Collective::reduceScatter: return Cost::alike(n, passes, {2 * passes, others, others, others, 2 * others});
    case Collective::allGather: return Cost::alike(n, passes, {2 * passes, others, others, others, query.bytes / n});
    case Collective::broadcast: return chainBroadcastCost(query, 2);
    default: return chainReduceCost(query, 2);
  }
}

}  // namespace

const Algorithm kRing{
    .name = "ring",
    .summary = "parts travel round a ring of neighbours; full bandwidth, latency linear in the ranks",
    .serves = serves,
    .generate = generate,
    .cost = cost,
    .tileable = true,
};

}  // namespace atl::plan
