// SPDX-License-Identifier: Apache-2.0
// How a payload is shared out over a hierarchy.
//
// In slices: at each level but the outermost a slice is cut in as many as the level's largest group has members. A
// group's members own its slices in order, runs as even as whole slices can be: in a group of the largest size one
// each, in a smaller one some own more. The ranks that own a slice in the groups of a level, one in each, are who
// combine that slice at the next. So every rank has a slice of the payload at every level and all of them work at all
// times, also where islands differ in size.
//
// By leaders: nothing is cut, and one member of each group owns all: the one that the root is in, where there is a
// root in the group, else the first. So the fewest messages leave a group.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "src/plan/hierarchy.h"

namespace atl::plan {

enum class Division : std::uint8_t { slices, leaders };

/// Consecutive slices of one level.
struct SliceRun {
  std::int32_t first = 0;
  std::int32_t count = 0;
};

class Slicing {
 public:
  /// The hierarchy must outlive this. The root (kNoRank: none) makes a difference to leaders only.
  explicit Slicing(const Hierarchy& hierarchy, Division division = Division::slices, Rank root = kNoRank);

  [[nodiscard]] Division division() const { return division_; }

  /// In how many a slice of the levels further in is cut at this one; 1 at the outermost.
  [[nodiscard]] std::int32_t slices(int level) const { return slices_[static_cast<std::size_t>(level)]; }

  /// The slices that a member of a group owns; in a group of more members than slices, at the outermost level or with
  /// leaders, none.
  [[nodiscard]] SliceRun owned(int level, std::int32_t group, std::int32_t member) const;

  /// The member of a group that owns a slice of this level.
  [[nodiscard]] std::int32_t ownerMember(int level, std::int32_t group, std::int32_t slice) const;

  /// The rank that owns, in this group of `level`, the slice with these numbers at levels 0 to `level`.
  [[nodiscard]] Rank owner(int level, std::int32_t group, std::span<const std::int32_t> slice) const;

  /// The ranks that combine a slice at `level`: its owner in each member of the group. `slice` has its numbers at the
  /// levels further in.
  [[nodiscard]] std::vector<Rank> owners(int level, std::int32_t group, std::span<const std::int32_t> slice) const;

 private:
  const Hierarchy& hierarchy_;
  Division division_;
  Rank root_;
  std::vector<std::int32_t> slices_;
};

}  // namespace atl::plan
