// SPDX-License-Identifier: Apache-2.0
// A rank's place in one of a pair of binary trees over the same ranks.
#pragma once

#include <vector>

#include "src/base/types.h"

namespace atl::plan {

/// Neighbours in a binary tree.
struct TreePlace {
  Rank parent = kNoRank;     ///< none at the top
  std::vector<Rank> before;  ///< child whose subtree lies before me in the tree's order, if any
  std::vector<Rank> after;   ///< child whose subtree lies after me, if any

  [[nodiscard]] bool isTop() const { return parent == kNoRank; }
  [[nodiscard]] bool isLeaf() const { return before.empty() && after.empty(); }
  [[nodiscard]] std::vector<Rank> children() const;
};

/// In-order tree: `top` above a binary tree of the other ranks, which stand in it in the order top+1, top+2, … round to
/// top−1; so the ranks of each subtree are consecutive. Those at odd places are leaves. At least two ranks.
TreePlace inOrderTree(Rank me, Rank n, Rank top);

/// A tree under the same top whose leaves are inner nodes of inOrderTree and the other way round (one rank may be a
/// leaf in both, none is an inner node with two children in both).
TreePlace complementTree(Rank me, Rank n, Rank top);

}  // namespace atl::plan
