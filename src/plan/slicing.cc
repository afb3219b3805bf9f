// SPDX-License-Identifier: Apache-2.0
#include "src/plan/slicing.h"

namespace atl::plan {

Slicing::Slicing(const Hierarchy& hierarchy, Division division, Rank root)
    : hierarchy_(hierarchy), division_(division), root_(root) {
  const int levels = hierarchy.levels();
  slices_.assign(static_cast<std::size_t>(levels), 1);
  if (division == Division::leaders) return;
  for (int level = 0; level + 1 < levels; ++level) {
    slices_[static_cast<std::size_t>(level)] = hierarchy.mostMembers(level);
  }
}

SliceRun Slicing::owned(int level, std::int32_t group, std::int32_t member) const {
  if (division_ == Division::leaders) return {0, member == ownerMember(level, group, 0) ? 1 : 0};
  const std::int64_t all = slices(level);
  const std::int64_t members = hierarchy_.members(level, group);
  const auto first = static_cast<std::int32_t>(member * all / members);
  return {first, static_cast<std::int32_t>((member + 1) * all / members) - first};
}

std::int32_t Slicing::ownerMember(int level, std::int32_t group, std::int32_t slice) const {
  if (division_ == Division::leaders) {
    const bool hasRoot = root_ != kNoRank && hierarchy_.groupOf(level, root_) == group;
    return hasRoot ? hierarchy_.memberOf(level, root_) : 0;
  }
  const std::int64_t members = hierarchy_.members(level, group);
  const std::int64_t after = slice + 1;
  return static_cast<std::int32_t>((after * members - 1) / slices(level));  // the last to begin before it
}

Rank Slicing::owner(int level, std::int32_t group, std::span<const std::int32_t> slice) const {
  const std::int32_t member = ownerMember(level, group, slice[static_cast<std::size_t>(level)]);
  if (level == 0) return hierarchy_.ranksOf(0, group)[member];
  return owner(level - 1, hierarchy_.firstMember(level, group) + member, slice);
}

std::vector<Rank> Slicing::owners(int level, std::int32_t group, std::span<const std::int32_t> slice) const {
  const std::int32_t members = hierarchy_.members(level, group);
  std::vector<Rank> ranks;
  ranks.reserve(static_cast<std::size_t>(members));
  for (std::int32_t member = 0; member < members; ++member) {
    ranks.push_back(level == 0 ? hierarchy_.ranksOf(0, group)[member]
                               : owner(level - 1, hierarchy_.firstMember(level, group) + member, slice));
  }
  return ranks;
}

}  // namespace atl::plan
