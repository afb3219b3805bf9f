// SPDX-License-Identifier: Apache-2.0
// Dissemination barrier: in round k every rank signals the rank 2^k ahead and waits for the one 2^k behind. After
// ceil(lg n) rounds each rank has heard, directly or through others, of every rank. The messages are empty.
//
//   ceil(lg n) α
//
// Source: D. Hensgen, R. Finkel, U. Manber, "Two algorithms for barrier synchronization", IJPP 17 (1988).
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

bool serves(Collective collective, Rank /*ranks*/, bool /*ordered*/) {
  return collective == Collective::barrier;
}

/// Nothing is divided among shares: one lane signals, whatever was asked for.
Plan generate(const PlanRequest& request) {
  const Rank n = request.ranks;
  const Rank me = request.rank;
  if (n == 1) return soloPlan(request, kDissemination.name);
  PlanBuilder b(request, kDissemination.name);
  b.shares(1).lane();
  for (Rank distance = 1; distance < n; distance *= 2) {
    b.round().send(input(), me + distance).receive(output(), me - distance);
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double rounds = ceilLog2(query.ranks);
  return Cost::alike(query.ranks, rounds, {2 * rounds, 0, 0, 0, 0});
}

}  // namespace

const Algorithm kDissemination{
    .name = "dissemination",
    .summary = "every rank signals ranks at doubling distances",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
