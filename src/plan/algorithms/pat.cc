// SPDX-License-Identifier: Apache-2.0
// PAT, parallel aggregated trees: every block has its own binomial tree, the same for all up to rotation, and all trees
// run at once. Unlike Bruck's or the circulant algorithm it speaks to far peers while messages are still few, and keeps
// the most traffic for near ones, which suits networks that narrow towards the core.
//
// In the tree of a block, the rank at distance o from its owner hangs under o with the lowest bit cleared. A stage of
// the all-gather takes the same edge, or up to kAggregated edges of equal length, in every tree: first the long edges,
// to the subtrees of `subtree` ranks, in logarithmic stages; then those subtrees side by side, in the order of a
// depth-first walk. The reduce-scatter runs the stages backwards, and thanks to that order it needs partial sums only
// along one path of each subtree: its scratch grows with lg n, not with n. Up to 2·kAggregated ranks all stages are
// logarithmic.
//
//   all-gather       r α + (n−1) μ + (n−1)/n S β with r = subtree−1 + lg(n / subtree)
//   reduce-scatter   the same + 2(n−1)/n S γ
//
// Source: S. Jeaugey, "PAT: a new algorithm for all-gather and reduce-scatter operations at scale", arXiv 2506.20252
// (2025). The split into aggregated subtrees is fixed here rather than chosen by size: a plan knows no size.
#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

/// Most edges, and so messages in each direction, of a stage.
constexpr Rank kAggregated = 16;

/// Edges of equal length that run at once: child distances first, first + step, … below n, each hanging `length` lower.
struct Stage {
  Rank first, step, length;
};

/// Ranks in each of the subtrees that run side by side: the smallest power of two ≥ 2 that makes them few enough.
Rank subtreeSize(Rank n) {
  Rank size = 2;
  while ((n + size - 1) / size > kAggregated) size *= 2;
  return size;
}

/// In the order of the all-gather: a parent's edge comes before its children's.
std::vector<Stage> stagesOf(Rank n) {
  const Rank subtree = subtreeSize(n);
  std::vector<Stage> stages;
  for (Rank length = powerOfTwoAtMost(n - 1); length >= subtree; length /= 2) {
    stages.push_back({length, 2 * length, length});
  }
  for (Rank inside = 1; inside < std::min(subtree, n); ++inside) {
    stages.push_back({inside, subtree, lowestBit(inside)});
  }
  return stages;
}

void allGather(PlanBuilder& b, Rank me, Rank n) {
  bool copied = false;
  for (const Stage& stage : stagesOf(n)) {
    b.round();
    for (Rank child = stage.first; child < n; child += stage.step) {
      const Rank parent = child - stage.length;
      b.send(parent == 0 ? input(me, n) : output(me - parent, n), me + stage.length);
      b.receive(output(me - child, n), me - stage.length);
    }
    if (!copied) b.copy(output(me, n), input(me, n));
    copied = true;
  }
}

/// The partial sums of a reduce-scatter, named by the distance from their owner. Mine (distance 0) gathers in the
/// output.
class Partials {
 public:
  Partials(Rank me, Rank n)
      : me_(me),
        n_(n),
        subtree_(subtreeSize(n)),
        levels_(ceilLog2(subtree_)),
        holder_(static_cast<std::size_t>((n + subtree_ - 1) / subtree_ * levels_), kNoRank) {}

  [[nodiscard]] std::int32_t slots() const { return static_cast<std::int32_t>(holder_.size()); }

  /// What I have of the block: a partial sum, or my input as long as nothing came for it.
  [[nodiscard]] ChunkSpec held(Rank distance) const {
    return holder_[slotOf(distance)] == distance ? place(distance) : input(me_ - distance, n_);
  }

  /// Where its partial sum grows from now on.
  ChunkSpec grow(Rank distance) {
    holder_[slotOf(distance)] = distance;
    return place(distance);
  }

 private:
  /// Per subtree one slot for its top and one for each height of inner nodes: a path from the top passes each height
  /// once.
  [[nodiscard]] std::size_t slotOf(Rank distance) const {
    const Rank inside = distance % subtree_;
    const Rank height = inside == 0 ? 0 : ceilLog2(lowestBit(inside));
    return static_cast<std::size_t>(distance / subtree_ * levels_ + height);
  }

  [[nodiscard]] ChunkSpec place(Rank distance) const {
    if (distance == 0) return output(me_, n_);
    return input(me_ - distance, n_).in(static_cast<std::int32_t>(slotOf(distance)));
  }

  Rank me_, n_, subtree_, levels_;
  std::vector<Rank> holder_;
};

void reduceScatter(PlanBuilder& b, Rank me, Rank n) {
  Partials partials(me, n);
  b.scratch(partials.slots(), n);
  const std::vector<Stage> stages = stagesOf(n);
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage) {
    const bool last = stage + 1 == stages.rend();
    b.round();
    for (Rank child = stage->first; child < n; child += stage->step) {
      const Rank parent = child - stage->length;
      b.send(partials.held(child), me - stage->length);
      const ChunkSpec sofar = partials.held(parent);
      b.combine(partials.grow(parent), {local(sofar), from(me + stage->length)}, last);
    }
  }
}

bool serves(Collective collective, Rank /*ranks*/, bool ordered) {
  return collective == Collective::allGather || (collective == Collective::reduceScatter && !ordered);
}

Plan generate(const PlanRequest& request) {
  if (request.ranks == 1) return soloPlan(request, kPat.name);
  PlanBuilder b(request, kPat.name);
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share);
    request.collective == Collective::allGather ? allGather(b, request.rank, request.ranks)
                                                : reduceScatter(b, request.rank, request.ranks);
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const Rank subtree = subtreeSize(query.ranks);
  const double rounds = query.ranks <= subtree ? n - 1 : subtree - 1 + ceilLog2((query.ranks + subtree - 1) / subtree);
  const double others = (n - 1) / n * query.bytes;
  const bool reduces = query.collective == Collective::reduceScatter;
  return Cost::alike(n, rounds, {2 * (n - 1), others, others, others, reduces ? 2 * others : query.bytes / n});
}

}  // namespace

const Algorithm kPat{
    .name = "pat",
    .summary = "rotated binomial trees, far peers first, with bounded buffers",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
