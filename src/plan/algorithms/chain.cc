// SPDX-License-Identifier: Apache-2.0
// Chain: the ranks in a row from the root, each passing on what it gets. Run tile by tile it is a pipeline: every link
// is busy once the first tile has reached the end, so large payloads move at the speed of one link, whatever n. The row
// leads through one island after another (island_order.h).
//
//   broadcast, reduce   (n−2+t) (α + S/t β) over t tiles, for reduce with + 2 S/t γ in every hop
//
// Source: well known as the pipeline or chain algorithm; J. Pješivac-Grbović et al., "Performance analysis of MPI
// collective operations", Cluster Computing 10 (2007).
#include "src/plan/algorithms/chain.h"

#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/algorithms/island_order.h"

namespace atl::plan {

void chainBroadcast(PlanBuilder& b, const PlanRequest& request, Rank step) {
  const Rank me = request.rank;
  const Rank hops = onCircle(step * (me - request.root), request.ranks);
  b.round();
  if (hops == 0) {
    b.send(input(), me + step).copy(output(), input());
    return;
  }
  b.receive(output(), me - step);
  if (hops < request.ranks - 1) b.round().send(output(), me + step);
}

void chainReduce(PlanBuilder& b, const PlanRequest& request, Rank step) {
  const Rank me = request.rank;
  const Rank hops = onCircle(step * (me - request.root), request.ranks);
  const Rank towardsRoot = me - step;
  const Rank behind = me + step;
  b.round();
  if (hops == 0) {
    b.combine(output(), {local(input()), from(behind)}, true);
  } else if (hops == request.ranks - 1) {
    b.send(input(), towardsRoot);
  } else {
    b.combine(input().in(0), {local(input()), from(behind)});
    b.round().send(input().in(0), towardsRoot);
  }
}

Cost chainBroadcastCost(const CostQuery& query, double strands) {
  const double size = query.bytes;
  const double hops = query.ranks - 1;
  const double passes = hops - 1 + query.tiles;       // of one tile over one link, one after another
  const double passed = passes * size / query.tiles;  // strands in opposite directions share a rank's port and its core
  const double forwarded = query.ranks > 2 ? passed : 0;  // by a rank that takes it too
  return {passes,
          {2 * strands * query.tiles, passed, forwarded, passed, size},
          {2 * strands * hops * query.tiles, hops * size, hops * size, hops * size, size}};
}

Cost chainReduceCost(const CostQuery& query, double strands) {
  Cost cost = chainBroadcastCost(query, strands);
  cost.busiest.reduced = 2 * query.bytes;
  cost.all.reduced = 2 * (query.ranks - 1) * query.bytes;
  return cost;
}

namespace {

bool serves(Collective collective, Rank /*ranks*/, bool ordered) {
  return collective == Collective::broadcast || (collective == Collective::reduce && !ordered);
}

Plan generate(const PlanRequest& request) {
  if (request.ranks == 1) return soloPlan(request, kChain.name);
  PlanBuilder b(request, kChain.name);
  b.tileable().alongIslands(request);
  if (request.collective == Collective::reduce && request.rank != request.root) b.scratch(1, 1);
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share);
    const PlanRequest seated = seatedRequest(request, IslandOrder(request, share));
    request.collective == Collective::broadcast ? chainBroadcast(b, seated, 1) : chainReduce(b, seated, 1);
  }
  return inIslandOrder(std::move(b).build(), request);
}

Cost cost(const CostQuery& query) {
  return query.collective == Collective::broadcast ? chainBroadcastCost(query, 1) : chainReduceCost(query, 1);
}

}  // namespace

const Algorithm kChain{
    .name = "chain",
    .summary = "the ranks in a row from the root, pipelined tile by tile",
    .serves = serves,
    .generate = generate,
    .cost = cost,
    .tileable = true,
};

}  // namespace atl::plan
