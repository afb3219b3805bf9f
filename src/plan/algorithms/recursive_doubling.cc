// SPDX-License-Identifier: Apache-2.0
// Recursive doubling: in round k every rank exchanges all it has with a partner 2^k away, so that after lg n rounds
// everyone has everything.
//
// All-reduce on n that is no power of two first folds the surplus: the first ranks pair up as neighbours (0,1), (2,3),
// … and the even one of each pair stands for both. Groups that meet are runs of consecutive ranks, and the lower run is
// always the left operand, so the reduction is in rank order. All-gather serves powers of two only.
//
//   all-reduce   lg n (α + S β + 2 S γ), plus 2 (α + S β) + 2 S γ for the fold
//   all-gather   lg n α + (n−1)/n S β
//
// Source: well known; R. Thakur, R. Rabenseifner, W. Gropp, IJHPCA 19 (2005), section on short messages.
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

/// Folds n ranks to a power of two and numbers those that stay.
struct Fold {
  Rank members;  ///< the power of two
  Rank surplus;  ///< pairs that fold

  explicit Fold(Rank n) : members(powerOfTwoAtMost(n)), surplus(n - members) {}

  [[nodiscard]] bool inPair(Rank rank) const { return rank < 2 * surplus; }
  [[nodiscard]] bool leaves(Rank rank) const { return inPair(rank) && rank % 2 == 1; }
  [[nodiscard]] Rank member(Rank rank) const { return inPair(rank) ? rank / 2 : rank - surplus; }
  [[nodiscard]] Rank rankOf(Rank member) const { return member < surplus ? 2 * member : member + surplus; }
};

/// Where the k-th of `count` partial results lies. A partial is sent while the next is written, so they alternate
/// between two slots; only the last is in the output, so that an input in the same memory is no longer read when it is
/// written.
ChunkSpec partial(std::int32_t k, std::int32_t count) {
  return k == count - 1 ? output() : output().in(k % 2);
}

void allReduce(PlanBuilder& b, Rank me, Rank n) {
  const Fold fold(n);
  if (fold.leaves(me)) {
    b.round().send(input(), me - 1);
    b.round().receive(output(), me - 1);
    return;
  }
  const std::int32_t exchanges = ceilLog2(fold.members);
  const std::int32_t count = exchanges + (fold.inPair(me) ? 1 : 0);
  b.scratch(std::min(count - 1, 2), 1);
  ChunkSpec held = input();
  std::int32_t made = 0;
  if (fold.inPair(me)) {
    const ChunkSpec next = partial(made++, count);
    b.round().combine(next, {local(held), from(me + 1)}, made == count);
    held = next;
  }
  for (Rank distance = 1; distance < fold.members; distance *= 2) {
    const Rank partner = fold.rankOf(fold.member(me) ^ distance);
    const ChunkSpec next = partial(made++, count);
    b.round().send(held, partner);
    b.combine(next, partner > me ? std::vector{local(held), from(partner)} : std::vector{from(partner), local(held)},
              made == count);
    held = next;
  }
  if (fold.inPair(me)) b.round().send(output(), me + 1);
}

/// Before the round at distance d a rank has the aligned run of d blocks that its own is in.
void allGather(PlanBuilder& b, Rank me, Rank n) {
  b.round().send(input(me, n), me ^ 1).copy(output(me, n), input(me, n)).receive(output(me ^ 1, n), me ^ 1);
  for (Rank distance = 2; distance < n; distance *= 2) {
    const Rank mine = me & -distance;
    const Rank partner = me ^ distance;
    b.round().send(output(mine, n).span(distance), partner);
    b.receive(output(mine ^ distance, n).span(distance), partner);
  }
}

bool serves(Collective collective, Rank ranks, bool /*ordered*/) {
  return collective == Collective::allReduce || (collective == Collective::allGather && isPowerOfTwo(ranks));
}

Plan generate(const PlanRequest& request) {
  if (request.ranks == 1) return soloPlan(request, kRecursiveDoubling.name);
  PlanBuilder b(request, kRecursiveDoubling.name);
  b.ordered(request.collective == Collective::allReduce);
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share);
    request.collective == Collective::allReduce ? allReduce(b, request.rank, request.ranks)
                                                : allGather(b, request.rank, request.ranks);
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double size = query.bytes;
  if (query.collective == Collective::allGather) {
    const double rounds = ceilLog2(query.ranks);
    const double others = (n - 1) / n * size;
    return Cost::alike(n, rounds, {2 * rounds, others, others, others, size / n});
  }
  const double standing = powerOfTwoAtMost(query.ranks);
  const double exchanges = ceilLog2(powerOfTwoAtMost(query.ranks));
  const double folds = isPowerOfTwo(query.ranks) ? 0 : 1;
  const double moved = (exchanges + folds) * size;
  const double messages = exchanges * standing + 2 * (n - standing);
  return {exchanges + 2 * folds,
          {2 * exchanges + 2 * folds, moved, moved, moved, 2 * moved},
          {2 * messages, messages * size, messages * size, messages * size,
           2 * (exchanges * standing + n - standing) * size}};
}

}  // namespace

const Algorithm kRecursiveDoubling{
    .name = "recursive-doubling",
    .summary = "everything exchanged with partners at doubling distance",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
