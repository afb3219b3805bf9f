// SPDX-License-Identifier: Apache-2.0
// Trees that cross each slow level once: at every level of a hierarchy a tree over the members of each group, in which
// one of its ranks speaks for a member. What comes into an island comes to its speaker and goes on from there.
//
// Different shares have different speakers, from both ends of an island inwards, so that all rails between islands are
// used. Of an island with the root, the root is the speaker.
#pragma once

#include <cstdint>
#include <optional>

#include "src/plan/algorithm.h"
#include "src/plan/algorithms/binary_tree.h"
#include "src/plan/hierarchy.h"

namespace atl::plan {

/// The speakers of one share. The request's hierarchy must outlive it; without one, all ranks are one group. The top of
/// the whole is the root; without a root, rank 0 or, of odd shares, the last in the outermost level.
class Speakers {
 public:
  Speakers(const PlanRequest& request, std::int32_t share);
  Speakers(const Speakers&) = delete;
  Speakers& operator=(const Speakers&) = delete;

  [[nodiscard]] const Hierarchy& hierarchy() const { return *hierarchy_; }
  /// The member of the group whose speaker speaks for the group too.
  [[nodiscard]] std::int32_t member(int level, std::int32_t group) const;
  /// The rank that speaks for a member of a group.
  [[nodiscard]] Rank speaker(int level, std::int32_t group, std::int32_t member) const;

 private:
  std::optional<Hierarchy> flat_;
  const Hierarchy* hierarchy_;
  Rank root_;
  bool fromEnd_;
  std::int32_t turn_;
};

/// A rank's place in the tree of all ranks, where `treeOf(me, n, top)` gives a member's place in the tree of the n > 1
/// members of a group. Subtrees of a level lie outside those of the levels further in, so that a fold from the first of
/// `before` to the last of `after` is in the order of places if it is so in the trees of treeOf.
template <class TreeOf>
TreePlace treeAcrossIslands(Rank rank, const Speakers& speakers, const TreeOf& treeOf) {
  const Hierarchy& hierarchy = speakers.hierarchy();
  TreePlace all;
  for (int level = 0; level < hierarchy.levels(); ++level) {
    const std::int32_t group = hierarchy.groupOf(level, rank);
    const std::int32_t members = hierarchy.members(level, group);
    if (members == 1) continue;
    const std::int32_t mine = hierarchy.memberOf(level, rank);
    TreePlace tree = treeOf(mine, members, speakers.member(level, group));
    for (Rank& child : tree.before) child = speakers.speaker(level, group, child);
    for (Rank& child : tree.after) child = speakers.speaker(level, group, child);
    all.before.insert(all.before.begin(), tree.before.begin(), tree.before.end());
    all.after.insert(all.after.end(), tree.after.begin(), tree.after.end());
    if (tree.isTop()) continue;
    all.parent = speakers.speaker(level, group, tree.parent);
    break;
  }
  return all;
}

}  // namespace atl::plan
