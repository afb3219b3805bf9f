// SPDX-License-Identifier: Apache-2.0
#include "src/plan/algorithms/island_order.h"

#include <utility>

#include "src/plan/algorithms/arithmetic.h"

namespace atl::plan {
namespace {

Rank ranksIn(const Hierarchy& hierarchy, int level, std::int32_t group) {
  return hierarchy.ranksOf(level, group).size();
}

Rank firstPlace(const Hierarchy& hierarchy, int level, std::int32_t group) {
  return hierarchy.placeOf(hierarchy.ranksOf(level, group)[0]);
}

/// A member's first place, counted from its group's.
Rank offsetOfMember(const Hierarchy& hierarchy, int level, std::int32_t group, std::int32_t member) {
  if (level == 0) return member;
  const std::int32_t number = hierarchy.firstMember(level, group) + member;
  return firstPlace(hierarchy, level - 1, number) - firstPlace(hierarchy, level, group);
}

/// The part of a seat's lane that names ranks.
class Renaming {
 public:
  Renaming(const Plan& plan, const IslandOrder& order)
      : order_(order), scratchSlots_(plan.scratchSlots), blocks_(payloadBlocks(plan.collective, plan.ranks)) {}

  void rename(Lane& lane) const {
    if (blocks_ > 1) lane.loops = writtenOut(lane);
    for (Loop& loop : lane.loops) {
      for (Round& round : loop.rounds) {
        for (Step& step : round.steps) rename(step);
      }
    }
  }

 private:
  [[nodiscard]] std::vector<Loop> writtenOut(const Lane& lane) const {
    Loop all;
    for (const Loop& loop : lane.loops) {
      for (std::int32_t k = 0; k < loop.repeat; ++k) {
        for (Round round : loop.rounds) {
          for (Step& step : round.steps) {
            step.chunk = atRepetition(step.chunk, k, scratchSlots_);
            for (Operand& operand : step.operands) operand.chunk = atRepetition(operand.chunk, k, scratchSlots_);
          }
          all.rounds.push_back(std::move(round));
        }
      }
    }
    return {std::move(all)};
  }

  void rename(Step& step) const {
    rename(step.chunk);
    for (Peer& peer : step.to) peer.rank = order_.rankAt(peer.rank);
    for (Operand& operand : step.operands) {
      if (operand.isPeer()) {
        operand.peer->rank = order_.rankAt(operand.peer->rank);
      } else {
        rename(operand.chunk);
      }
    }
  }

  void rename(Chunk& chunk) const {
    if (blocks_ > 1) chunk.index = order_.rankAt(chunk.index);
  }

  const IslandOrder& order_;
  std::int32_t scratchSlots_;
  Rank blocks_;
};

}  // namespace

IslandOrder::IslandOrder(const PlanRequest& request, std::int32_t share)
    : hierarchy_(request.hierarchy), root_(request.root), turn_(share / 2) {
  if (hierarchy_ == nullptr) return;
  const bool turned = root_ != kNoRank || turn_ > 0;
  if (hierarchy_->inOrder() && (hierarchy_->levels() == 1 || !turned)) hierarchy_ = nullptr;
}

Rank IslandOrder::shift(int level, std::int32_t group) const {
  if (level + 1 == hierarchy_->levels()) return 0;  // a circle has no first
  if (root_ != kNoRank && hierarchy_->groupOf(level, root_) == group) {
    return offsetOfMember(*hierarchy_, level, group, hierarchy_->memberOf(level, root_));
  }
  // Two members a turn: one at either end of the group's run, where the circle comes in and goes out.
  return offsetOfMember(*hierarchy_, level, group, 2 * turn_ % hierarchy_->members(level, group));
}

Rank IslandOrder::seatOf(Rank rank) const {
  if (isIdentity()) return rank;
  Rank seat = 0;
  for (int level = hierarchy_->levels() - 1; level >= 0; --level) {
    const std::int32_t group = hierarchy_->groupOf(level, rank);
    const Rank offset = offsetOfMember(*hierarchy_, level, group, hierarchy_->memberOf(level, rank));
    seat += onCircle(offset - shift(level, group), ranksIn(*hierarchy_, level, group));
  }
  return seat;
}

Rank IslandOrder::rankAt(Rank seat) const {
  if (isIdentity()) return seat;
  Rank first = 0;  // place of the group's first rank
  Rank rest = seat;
  std::int32_t group = 0;
  for (int level = hierarchy_->levels() - 1;; --level) {
    const Rank place = first + onCircle(rest + shift(level, group), ranksIn(*hierarchy_, level, group));
    const Rank rank = hierarchy_->rankAt(place);
    if (level == 0) return rank;
    group = hierarchy_->groupOf(level - 1, rank);
    first = firstPlace(*hierarchy_, level - 1, group);
    rest = place - first;
  }
}

PlanRequest seatedRequest(const PlanRequest& request, const IslandOrder& order) {
  PlanRequest seated = request;
  seated.rank = order.seatOf(request.rank);
  if (request.root != kNoRank) seated.root = order.seatOf(request.root);
  seated.hierarchy = nullptr;
  return seated;
}

Plan inIslandOrder(Plan plan, const PlanRequest& request) {
  for (Lane& lane : plan.lanes) {
    const IslandOrder order(request, lane.share);
    if (!order.isIdentity()) Renaming(plan, order).rename(lane);
  }
  return plan;
}

}  // namespace atl::plan
