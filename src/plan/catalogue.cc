// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

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

}  // namespace atl::plan
