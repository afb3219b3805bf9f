// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/rank_list.h"

#include <fmt/format.h>

namespace atl {

std::string textOfRanks(std::span<const Rank> ranks) {
  constexpr int kMostRuns = 16;
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  int runs = 0;
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t last = i;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    if (runs++ == kMostRuns) return text + fmt::format(" and {} more", ranks.size() - i);
    if (i > 0) text += ", ";
    text += last == i ? fmt::format("{}", ranks[i]) : fmt::format("{}-{}", ranks[i], ranks[last]);
    i = last + 1;
  }
  return text;
}

}  // namespace atl
