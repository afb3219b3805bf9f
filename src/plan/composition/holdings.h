// SPDX-License-Identifier: Apache-2.0
// Which parts of the payload belong to a slice, and to the members of a group.
//
// A payload of one block is cut in slices (slicing.h). A payload with a block for each rank is not cut: a block belongs
// to the slice that its rank owns at each level, the first one where it owns several. Members that own a slice in which
// they have no block hold nothing there; they only pass on what is the others'.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "src/plan/composition/region.h"
#include "src/plan/slicing.h"

namespace atl::plan {

/// Numbers of a slice, from level 0 outward.
using SlicePath = std::span<const std::int32_t>;

class Holdings {
 public:
  /// Both must outlive this. `blocks` is the number of the payload's: one, or one for each rank.
  Holdings(const Hierarchy& hierarchy, const Slicing& slicing, Rank blocks);

  /// In how many parts the payload is cut for whatever is named at `level`.
  [[nodiscard]] std::int64_t unit(int level) const;
  /// Sets the cut that regions are of: a multiple of every level's unit.
  void setParts(std::int64_t parts) { parts_ = parts; }

  [[nodiscard]] Region whole() const { return Region::of(0, parts_); }

  /// What belongs to a slice, on all ranks; everything, with leaders.
  [[nodiscard]] Region slice(SlicePath path) const;

  /// What each member of a group holds of a slice, which has numbers at the levels further in than `level`. Outside the
  /// outermost level that is for all ranks, whichever group they are in.
  [[nodiscard]] std::vector<Region> ofMembers(int level, std::int32_t group, SlicePath path) const;

  /// The blocks of the ranks in a group. One for each rank only.
  [[nodiscard]] Region ofGroup(int level, std::int32_t group) const;

 private:
  [[nodiscard]] bool oneBlock() const { return blocks_ == 1; }
  [[nodiscard]] Region ofRanks(std::vector<Rank> ranks) const;
  void collect(int level, std::int32_t group, SlicePath path, std::vector<Rank>& ranks) const;
  [[nodiscard]] Region ofOneBlock(int level, SlicePath path, const SliceRun& run) const;

  const Hierarchy& hierarchy_;
  const Slicing& slicing_;
  Rank blocks_;
  std::int64_t parts_ = 1;
};

}  // namespace atl::plan
