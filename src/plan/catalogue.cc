// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/algorithms/algorithms.h"

namespace atl::plan {

std::span<const Algorithm> catalogue() {
  static const std::array all{kOneShot,
                              kTwoShot,
                              kRecursiveDoubling,
                              kCirculant,
                              kDoubleBinaryTree,
                              kPat,
                              kRing,
                              kBinomial,
                              kChain,
                              kDirect,
                              kBruck,
                              kPairwise,
                              kDissemination,
                              kHierarchical,
                              kHierarchicalPipelined,
                              kHierarchicalLeader};
  return all;
}

const Algorithm* algorithmNamed(std::string_view name) {
  const std::span<const Algorithm> all = catalogue();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Algorithm& a) { return a.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string namesOfAlgorithms(const std::function<bool(const Algorithm&)>& passes) {
  std::vector<std::string_view> names;
  for (const Algorithm& algorithm : catalogue()) {
    if (passes(algorithm)) names.push_back(algorithm.name);
  }
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace atl::plan
