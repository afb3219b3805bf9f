// SPDX-License-Identifier: Apache-2.0
#include "src/plan/composition/holdings.h"

#include <algorithm>

namespace atl::plan {

Holdings::Holdings(const Hierarchy& hierarchy, const Slicing& slicing, Rank blocks)
    : hierarchy_(hierarchy), slicing_(slicing), blocks_(blocks) {}

std::int64_t Holdings::unit(int level) const {
  if (!oneBlock()) return blocks_;
  std::int64_t of = 1;
  for (int inner = 0; inner <= level; ++inner) of *= slicing_.slices(inner);
  return of;
}

Region Holdings::slice(SlicePath path) const {
  if (path.empty() || slicing_.division() == Division::leaders) return whole();
  const int last = static_cast<int>(path.size()) - 1;
  if (oneBlock()) return ofOneBlock(last, path.first(path.size() - 1), {path.back(), 1});
  std::vector<Rank> ranks;
  collect(hierarchy_.levels() - 1, 0, path, ranks);
  return ofRanks(std::move(ranks));
}

std::vector<Region> Holdings::ofMembers(int level, std::int32_t group, SlicePath path) const {
  const bool outermost = level == hierarchy_.levels() - 1;
  const std::int32_t members = hierarchy_.members(level, group);
  std::vector<Region> regions;
  std::vector<std::int32_t> longer(path.begin(), path.end());
  for (std::int32_t member = 0; member < members; ++member) {
    const SliceRun run = slicing_.owned(level, group, member);
    if (oneBlock()) {
      regions.push_back(ofOneBlock(level, path, run));
    } else if (slicing_.division() == Division::leaders) {
      const std::int32_t inner = hierarchy_.firstMember(level, group) + member;
      regions.push_back(level == 0 ? ofRanks({hierarchy_.ranksOf(0, group)[member]}) : ofGroup(level - 1, inner));
    } else {
      std::vector<Rank> ranks;
      if (outermost && level > 0) {
        collect(level - 1, member, path, ranks);
      } else if (outermost) {
        ranks.push_back(hierarchy_.ranksOf(0, group)[member]);
      }
      for (std::int32_t i = run.first; i < run.first + run.count && !outermost; ++i) {
        longer.push_back(i);
        collect(hierarchy_.levels() - 1, 0, longer, ranks);
        longer.pop_back();
      }
      regions.push_back(ofRanks(std::move(ranks)));
    }
  }
  return regions;
}

Region Holdings::ofGroup(int level, std::int32_t group) const {
  const GroupRanks ranks = hierarchy_.ranksOf(level, group);
  std::vector<Rank> all;
  all.reserve(static_cast<std::size_t>(ranks.size()));
  for (const Rank rank : ranks) all.push_back(rank);
  return ofRanks(std::move(all));
}

Region Holdings::ofRanks(std::vector<Rank> ranks) const {
  std::ranges::sort(ranks);
  const std::int64_t each = parts_ / blocks_;
  Region region;
  for (const Rank rank : ranks) region.append({rank * each, each});
  return region;
}

/// The ranks in a group whose block is in the slice.
void Holdings::collect(int level, std::int32_t group, SlicePath path, std::vector<Rank>& ranks) const {
  std::int32_t begin = 0;
  std::int32_t end = hierarchy_.members(level, group);
  if (level < static_cast<int>(path.size())) {
    const std::int32_t slice = path[static_cast<std::size_t>(level)];
    begin = slicing_.ownerMember(level, group, slice);
    end = slicing_.owned(level, group, begin).first == slice ? begin + 1 : begin;
  }
  for (std::int32_t member = begin; member < end; ++member) {
    if (level == 0) {
      ranks.push_back(hierarchy_.ranksOf(0, group)[member]);
    } else {
      collect(level - 1, hierarchy_.firstMember(level, group) + member, path, ranks);
    }
  }
}

/// A run of the slices that a slice of the levels further in is cut in at `level`.
Region Holdings::ofOneBlock(int level, SlicePath path, const SliceRun& run) const {
  std::int64_t first = 0;
  for (int inner = 0; inner < level; ++inner) {
    first = first * slicing_.slices(inner) + path[static_cast<std::size_t>(inner)];
  }
  const std::int64_t each = parts_ / unit(level);
  return Region::of((first * slicing_.slices(level) + run.first) * each, run.count * each);
}

}  // namespace atl::plan
