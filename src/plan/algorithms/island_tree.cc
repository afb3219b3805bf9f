// SPDX-License-Identifier: Apache-2.0
#include "src/plan/algorithms/island_tree.h"

namespace atl::plan {

Speakers::Speakers(const PlanRequest& request, std::int32_t share)
    : hierarchy_(request.hierarchy), root_(request.root), fromEnd_(share % 2 == 1), turn_(share / 2) {
  if (hierarchy_ == nullptr) hierarchy_ = &flat_.emplace(Hierarchy::flat(request.ranks));
}

std::int32_t Speakers::member(int level, std::int32_t group) const {
  if (root_ != kNoRank && hierarchy_->groupOf(level, root_) == group) return hierarchy_->memberOf(level, root_);
  const std::int32_t members = hierarchy_->members(level, group);
  // The outermost level has no links to spread over, and keeps the order of the ranks where that is wanted.
  const std::int32_t turn = level + 1 == hierarchy_->levels() ? 0 : turn_ % members;
  return fromEnd_ ? members - 1 - turn : turn;
}

Rank Speakers::speaker(int level, std::int32_t group, std::int32_t member) const {
  for (; level > 0; --level) {
    group = hierarchy_->firstMember(level, group) + member;
    member = this->member(level - 1, group);
  }
  return hierarchy_->ranksOf(0, group)[member];
}

}  // namespace atl::plan
