// SPDX-License-Identifier: Apache-2.0
// Double binary tree: half of the payload goes through each of two binary trees, and the leaves of one are the inner
// nodes of the other. So every rank sends and receives about as much as any other, and tiles pipeline through the
// levels: logarithmic latency with full bandwidth.
//
// All-reduce: trees topped by rank 0 and by rank n−1, each with a lane that reduces upwards and a lane that broadcasts
// downwards, so that one tile goes down while the next comes up. Subtrees are runs of consecutive ranks and are folded
// in their order. Broadcast and reduce: both trees are topped by the root. Among islands there are such trees at every
// level (island_tree.h).
//
//   all-reduce          2 (D−1+t) (α + S/t β) over t tiles, with D = ceil(lg n) levels under the top
//   broadcast, reduce   (D−1+t) (α + S/t β)
//
// Source: P. Sanders, J. Speck, J. L. Träff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan",
// Parallel Computing 35 (2009).
#include <utility>

#include "src/plan/algorithms/algorithms.h"
#include "src/plan/algorithms/arithmetic.h"
#include "src/plan/algorithms/binary_tree.h"
#include "src/plan/algorithms/island_tree.h"
#include "src/plan/builder.h"

namespace atl::plan {
namespace {

void append(std::vector<Operand>& operands, const std::vector<Rank>& peers) {
  for (const Rank peer : peers) operands.push_back(from(peer));
}

/// Folds my subtree in its order into `to`, and passes it up.
void up(PlanBuilder& b, const TreePlace& tree, const Chunk& to) {
  if (tree.isLeaf()) {
    b.round().send(input(), tree.parent);
    return;
  }
  std::vector<Operand> operands;
  append(operands, tree.before);
  operands.push_back(local(input()));
  append(operands, tree.after);
  b.round().combine(to, std::move(operands), tree.isTop());
  if (!tree.isTop()) b.round().send(to, tree.parent);
}

/// Passes down what the top holds in `own`; the open round is the first.
void down(PlanBuilder& b, const TreePlace& tree, const Chunk& own) {
  if (tree.isTop()) {
    b.send(own, tree.children());
    return;
  }
  b.receive(output(), tree.parent);
  b.round().send(output(), tree.children());
}

/// Lanes 2·share and 2·share+1.
void allReduce(PlanBuilder& b, const PlanRequest& request, std::int32_t share) {
  const bool second = share % 2 == 1;
  const auto treeOf = [second](Rank me, Rank n, Rank top) {
    TreePlace tree = inOrderTree(me, n, top);
    if (second && tree.isTop()) std::swap(tree.before, tree.after);  // the last of all comes after the others
    return tree;
  };
  const TreePlace tree = treeAcrossIslands(request.rank, Speakers(request, share), treeOf);
  b.lane(share);
  up(b, tree, output());
  b.lane(share).roundAfter(2 * share);
  down(b, tree, output());
}

void rooted(PlanBuilder& b, const PlanRequest& request, std::int32_t share) {
  const TreePlace tree =
      treeAcrossIslands(request.rank, Speakers(request, share), share % 2 == 0 ? inOrderTree : complementTree);
  b.lane(share);
  if (request.collective == Collective::reduce) {
    up(b, tree, tree.isTop() ? output() : output().in(0));
    if (!tree.isTop() && !tree.isLeaf()) b.scratch(1, 1);
    return;
  }
  b.round();
  down(b, tree, input());
  if (tree.isTop()) b.copy(output(), input());
}

bool serves(Collective collective, Rank /*ranks*/, bool ordered) {
  return collective == Collective::allReduce || collective == Collective::broadcast ||
         (collective == Collective::reduce && !ordered);
}

Plan generate(const PlanRequest& request) {
  if (request.ranks == 1) return soloPlan(request, kDoubleBinaryTree.name);
  PlanBuilder b(request, kDoubleBinaryTree.name);
  const std::int32_t shares = 2 * request.shares;
  b.shares(shares).tileable().alongIslands(request);
  b.ordered(request.collective == Collective::allReduce && request.hierarchy == nullptr);
  for (std::int32_t share = 0; share < shares; ++share) {
    request.collective == Collective::allReduce ? allReduce(b, request, share) : rooted(b, request, share);
  }
  return std::move(b).build();
}

Cost cost(const CostQuery& query) {
  const double n = query.ranks;
  const double size = query.bytes;
  const double levels = ceilLog2(query.ranks);
  const double passes = levels - 1 + query.tiles;  // of one tile through one level, one after another
  const double passed = passes * size / query.tiles;
  // Every edge of both trees carries half of the payload; in each tree half of the ranks are inner nodes.
  const double edges = (n - 1) * size;
  const double inner = n / 2 * size;
  const Work up{4 * (n - 1) * query.tiles, edges, edges, edges, edges + inner};
  const Work down{4 * (n - 1) * query.tiles, edges, inner, edges, size};
  switch (query.collective) {
    case Collective::allReduce:
      return {2 * passes,
              {8 * query.tiles, 2 * passed, 2 * passed, 2 * passed, 1.5 * passed},
              {up.messages + down.messages, 2 * edges, edges + inner, 2 * edges, up.reduced},
              2};
    case Collective::broadcast: return {passes, {4 * query.tiles, passed, passed, passed, size}, down};
    default: return {passes, {4 * query.tiles, passed, passed, passed, 1.5 * passed}, up, 2};
  }
}

}  // namespace

const Algorithm kDoubleBinaryTree{
    .name = "double-binary-tree",
    .summary = "two binary trees, each on half of the payload; logarithmic latency, pipelined to full bandwidth",
    .serves = serves,
    .generate = generate,
    .cost = cost,
    .tileable = true,
};

}  // namespace atl::plan
