// SPDX-License-Identifier: Apache-2.0
// Binomial tree over the ranks counted from the root: place v hangs under v with its lowest bit cleared, and the
// subtree of v is the run of places [v, v + lowest bit). Parents serve the far, large subtree first.
//
//   broadcast   ceil(lg n) (α + S β)
//   reduce      ceil(lg n) (α + S β) + (1 + ceil(lg n)) S γ, each rank folding itself and all its subtrees at once
//   all-reduce  the reduce to rank 0, then the broadcast: the fewest messages of all, 2(n−1), for where each costs a
//               system call and ranks share cores
//   gather,
//   scatter     ceil(lg n) α + (n−1)/n S β; a subtree travels as one run of blocks, two where it passes the last rank
//
// Among islands broadcast, reduce and all-reduce have such a tree at every level (island_tree.h). Gather and scatter
// keep to the one, where a subtree's blocks are a run.
//
// Source: well known; R. Thakur, R. Rabenseifner, W. Gropp, IJHPCA 19 (2005).
#include <utility>

#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/algorithms/island_tree.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

/// Distances of the children of a place that has a subtree of so many places, far first. A child at distance d has the
/// places [d, 2d) of the subtree, if there are.
std::vector<Rank> childDistances(Rank subtree) {
  std::vector<Rank> distances;
  for (Rank d = subtree > 1 ? powerOfTwoAtMost(subtree - 1) : 0; d > 0; d /= 2) distances.push_back(d);
  return distances;
}

/// Children near first, all after their parent.
TreePlace binomialTree(Rank me, Rank n, Rank top) {
  const Rank place = onCircle(me - top, n);
  TreePlace tree;
  if (place > 0) tree.parent = onCircle(me - lowestBit(place), n);
  for (const Rank d : childDistances(place == 0 ? n : std::min(lowestBit(place), n - place))) {
    tree.after.insert(tree.after.begin(), onCircle(me + d, n));
  }
  return tree;
}

/// The ranks below, far first: first those in other islands.
std::vector<Rank> farFirst(const TreePlace& tree) {
  return {tree.after.rbegin(), tree.after.rend()};
}

void broadcast(PlanBuilder& b, const TreePlace& tree) {
  b.round();
  if (tree.isTop()) {
    b.send(input(), farFirst(tree)).copy(output(), input());
  } else {
    b.receive(output(), tree.parent).round().send(output(), farFirst(tree));
  }
}

/// What a rank folds: its own contribution and those of its subtrees, the near ones first.
std::vector<Operand> contributions(const TreePlace& tree) {
  std::vector<Operand> operands{local(input())};
  for (const Rank child : tree.after) operands.push_back(from(child));
  return operands;
}

void reduce(PlanBuilder& b, const TreePlace& tree) {
  b.round();
  if (tree.isTop()) {
    b.combine(output(), contributions(tree), true);
  } else if (tree.isLeaf()) {
    b.send(input(), tree.parent);
  } else {
    b.scratch(1, 1).combine(input().in(0), contributions(tree)).round().send(input().in(0), tree.parent);
  }
}

void allReduce(PlanBuilder& b, const TreePlace& tree) {
  if (!tree.isLeaf()) b.round().combine(output(), contributions(tree), tree.isTop());
  if (!tree.isTop()) {
    b.round().send(tree.isLeaf() ? input() : output(), tree.parent);
    b.round().receive(output(), tree.parent);
  }
  b.round().send(output(), farFirst(tree));
}

/// Where a rank stands in the tree of all ranks. Ranks may exceed n; the builder takes them modulo n.
struct Place {
  Rank me, n, root;
  Rank place;    ///< distance from the root
  Rank subtree;  ///< places in my subtree, me included
  Rank parent;   ///< meaningless at the root

  explicit Place(const PlanRequest& request)
      : me(request.rank),
        n(request.ranks),
        root(request.root),
        place(onCircle(me - root, n)),
        subtree(place == 0 ? n : std::min(lowestBit(place), n - place)),
        parent(place == 0 ? kNoRank : me - lowestBit(place)) {}

  [[nodiscard]] bool isRoot() const { return place == 0; }

  /// f(first block, blocks, offset in my subtree) for the runs of blocks at [begin, begin + count) of my subtree.
  template <class F>
  void forEachBlockRun(Rank begin, Rank count, F&& f) const {
    forEachRun(me + begin, count, n, [&](Rank block, Rank length, Rank offset) { f(block, length, begin + offset); });
  }
};

void gather(PlanBuilder& b, const Place& at) {
  const Rank n = at.n;
  const auto place = [&](Rank block, Rank length, Rank offset) {
    return at.isRoot() ? output(block, n).span(length) : output(block, n).span(length).in(offset);
  };
  b.round();
  if (at.subtree == 1) {
    b.send(input(at.me, n), at.parent);
    return;
  }
  b.copy(place(at.me, 1, 0), input(at.me, n));
  for (const Rank d : childDistances(at.subtree)) {
    at.forEachBlockRun(d, std::min(d, at.subtree - d), [&](Rank block, Rank length, Rank offset) {
      b.receive(place(block, length, offset), at.me + d);
    });
  }
  if (at.isRoot()) return;
  b.scratch(at.subtree, n).round();
  at.forEachBlockRun(0, at.subtree,
                     [&](Rank block, Rank length, Rank offset) { b.send(place(block, length, offset), at.parent); });
}

void scatter(PlanBuilder& b, const Place& at) {
  const Rank n = at.n;
  const auto place = [&](Rank block, Rank length, Rank offset) {
    return at.isRoot() ? input(block, n).span(length) : input(block, n).span(length).in(offset);
  };
  b.round();
  if (at.subtree == 1) {
    b.receive(output(at.me, n), at.parent);
    return;
  }
  if (!at.isRoot()) {
    b.scratch(at.subtree, n);
    at.forEachBlockRun(0, at.subtree, [&](Rank block, Rank length, Rank offset) {
      b.receive(place(block, length, offset), at.parent);
    });
    b.round();
  }
  for (const Rank d : childDistances(at.subtree)) {
    at.forEachBlockRun(d, std::min(d, at.subtree - d),
                       [&](Rank block, Rank length, Rank offset) { b.send(place(block, length, offset), at.me + d); });
  }
  b.copy(output(at.me, n), place(at.me, 1, 0));
}

bool serves(Collective collective, Rank /*ranks*/, bool ordered) {
  if (collective == Collective::allReduce) return !ordered;
  return isRooted(collective) && (collective != Collective::reduce || !ordered);
}

Plan generate(const PlanRequest& request) {
  if (request.ranks == 1) return soloPlan(request, kBinomial.name);
  const bool moves = request.collective == Collective::gather || request.collective == Collective::scatter;
  PlanBuilder b(request, kBinomial.name);
  if (!moves) b.alongIslands(request);
  for (std::int32_t share = 0; share < request.shares; ++share) {
    b.lane(share);
    if (moves) {
      const Place at(request);
      request.collective == Collective::gather ? gather(b, at) : scatter(b, at);
      continue;
    }
    const TreePlace tree = treeAcrossIslands(request.rank, Speakers(request, 2 * share), binomialTree);
    switch (request.collective) {
      case Collective::broadcast: broadcast(b, tree); break;
      case Collective::reduce: reduce(b, tree); break;
      default: allReduce(b, tree); break;
    }
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double size = query.bytes;
  const double levels = ceilLog2(query.ranks);
  const double edges = (n - 1) * size;
  const double inner = n / 2 * size;                    // half of the ranks have somebody below them
  const double forwarded = query.ranks > 2 ? size : 0;  // by a rank that takes it too
  switch (query.collective) {
    case Collective::broadcast:
      return {levels, {levels, levels * size, forwarded, size, size}, {2 * (n - 1), edges, inner, edges, size}};
    case Collective::reduce:
      return {levels,
              {levels, 0, 0, levels * size, (1 + levels) * size},
              {2 * (n - 1), edges, edges, edges, edges + inner},
              levels};
    case Collective::allReduce:
      return {2 * levels,
              {2 * levels, levels * size, size, levels * size, (1 + levels) * size},
              {4 * (n - 1), 2 * edges, edges + inner, 2 * edges, edges + inner},
              levels};
    default: {
      const double others = (n - 1) / n * size;
      const double moved = levels * size / 2;  // a block travels half of the levels
      return {levels, {2 * levels, others, others, others, size / n}, {2 * (n - 1), moved, moved, moved, size / 2}};
    }
  }
}

}  // namespace

const Algorithm kBinomial{
    .name = "binomial",
    .summary = "a tree of logarithmic depth from the root",
    .serves = serves,
    .generate = generate,
    .cost = cost,
};

}  // namespace atl::plan
