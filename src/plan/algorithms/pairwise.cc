// SPDX-License-Identifier: Apache-2.0
// Pairwise exchange: in round k every rank sends to the rank k ahead and receives from the one k behind, so each port
// carries one message at a time and no receiver is ever crowded. A plan of constant size.
//
//   all-to-all   (n−1) α + (n−1)/n S β
//
// Source: well known; R. Thakur, R. Rabenseifner, W. Gropp, IJHPCA 19 (2005).
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

bool serves(Collective collective, Rank /*ranks*/, bool /*ordered*/) {
  return collective == Collective::allToAll;
}

Plan generate(const PlanRequest& request) {
  const Rank n = request.ranks;
  const Rank me = request.rank;
  if (n == 1) return soloPlan(request, kPairwise.name);
  PlanBuilder b(request, kPairwise.name);
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share).round().copy(output(me, n), input(me, n));
    b.repeat(n - 1).round().send(input(me + 1, n).by(1), me + 1, 1);
    b.receive(output(me - 1, n).by(-1), me - 1, -1);
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double others = (n - 1) / n * query.bytes;
  return Cost::alike(n, n - 1, {2 * (n - 1), others, others, others, query.bytes / n});
}

}  // namespace

const Algorithm kPairwise{
    .name = "pairwise",
    .summary = "one partner a round, at growing distance",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
