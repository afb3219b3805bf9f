// SPDX-License-Identifier: Apache-2.0
// Hierarchies of all kinds, for tests that go through a sample of them.
#pragma once

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

#include "tests/plan/compositions.h"

namespace atl::plan {

/// A tree of two to four levels and at most 64 ranks, its groups equal or not, its ranks in order or not.
inline Hierarchy randomTree(std::mt19937& random) {
  const auto between = [&](int least, int most) { return std::uniform_int_distribution(least, most)(random); };
  const int depth = between(2, 4);
  const bool equal = between(0, 3) == 0;
  std::vector<Members> levels;
  std::int32_t groups = 1;
  for (int level = depth - 1; level >= 0; --level) {
    const int least = level == depth - 1 ? 2 : 1;
    const int most = std::max(least, std::min(64 / groups, 5));
    Members members(static_cast<std::size_t>(groups), between(least, most));
    for (std::int32_t& count : members) count = equal ? count : between(least, most);
    groups = std::accumulate(members.begin(), members.end(), 0);
    levels.insert(levels.begin(), members);
  }
  std::vector<Rank> rankAt(static_cast<std::size_t>(groups));
  std::iota(rankAt.begin(), rankAt.end(), 0);
  if (between(0, 1) == 1) std::ranges::shuffle(rankAt, random);
  return tree(levels, rankAt);
}

}  // namespace atl::plan
