// SPDX-License-Identifier: Apache-2.0
#include "src/plan/slicing.h"

namespace atl::plan {

Slicing::Slicing(const Hierarchy& hierarchy) : hierarchy_(hierarchy) {
  const int levels = hierarchy.levels();
  slices_.assign(static_cast<std::size_t>(levels), 1);
  for (int level = 0; level + 1 < levels; ++level) {
    slices_[static_cast<std::size_t>(level)] = hierarchy.mostMembers(level);
  }
}

SliceRun Slicing::owned(int level, std::int32_t group, std::int32_t member) const {
  const std::int64_t all = slices(level);
  const std::int64_t members = hierarchy_.members(level, group);
  const auto first = static_cast<std::int32_t>(member * all / members);
  return {first, static_cast<std::int32_t>((member + 1) * all / members) - first};
}

Rank Slicing::owner(int level, std::int32_t group, std::span<const std::int32_t> slice) const {
  const std::int64_t members = hierarchy_.members(level, group);
  const std::int64_t after = slice[static_cast<std::size_t>(level)] + 1;
  const auto member = static_cast<std::int32_t>((after * members - 1) / slices(level));  // the last to begin before it
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
