// SPDX-License-Identifier: Apache-2.0
// Direct: every block straight from where it is to where it is wanted, all at once.
//
//   gather, scatter, all-to-all   α + (n−1) μ + (n−1)/n S β
//
// Source: well known; "linear" in MPI libraries.
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/peers.h"

namespace atl::plan {
namespace {

void lane(PlanBuilder& b, const PlanRequest& request) {
  const Rank n = request.ranks;
  const Rank me = request.rank;
  const Rank root = request.root;
  const bool all = request.collective == Collective::allToAll;
  const bool sendsMany = all || (request.collective == Collective::scatter && me == root);
  const bool takesMany = all || (request.collective == Collective::gather && me == root);
  b.round();
  if (sendsMany) {
    for (const Rank peer : others(me, n)) b.send(input(peer, n), peer);
  } else if (request.collective == Collective::gather && me != root) {
    b.send(input(me, n), root);
  }
  if (takesMany) {
    for (const Rank peer : others(me, n)) b.receive(output(peer, n), peer);
  } else if (request.collective == Collective::scatter && me != root) {
    b.receive(output(me, n), root);
  }
  if (all || me == root) b.copy(output(me, n), input(me, n));
}

bool serves(Collective collective, Rank /*ranks*/, bool /*ordered*/) {
  return collective == Collective::gather || collective == Collective::scatter || collective == Collective::allToAll;
}

Plan generate(const PlanRequest& request) {
  if (request.ranks == 1) return soloPlan(request, kDirect.name);
  PlanBuilder b(request, kDirect.name);
  for (std::int32_t share = 0; share < request.shares; ++share) lane(b.lane(share), request);
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double peers = n - 1;
  const double block = query.bytes / n;
  const double others = peers * block;
  if (query.collective == Collective::allToAll) {
    return Cost::alike(n, 1, {2 * peers, others, others, others, block}, peers);
  }
  // A rank but the root moves one block.
  const Work all{2 * peers, others, others, others, block};
  if (query.collective == Collective::gather) return {1, {peers, block, block, others, block}, all, peers};
  return {1, {peers, others, others, block, block}, all};
}

}  // namespace

const Algorithm kDirect{
    .name = "direct",
    .summary = "every block straight to its destination, in one round",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
