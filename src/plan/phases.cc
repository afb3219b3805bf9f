// SPDX-License-Identifier: Apache-2.0
#include "src/plan/phases.h"

#include <algorithm>

#include "src/plan/composition/section.h"
#include "src/plan/hierarchical.h"

namespace atl::plan {
namespace {

/// Phases of one level, without their collective.
struct LevelShape {
  Phase phase;
  double gathered = 1;  ///< the part of the payload that the blocks of a group's ranks are
};

std::vector<LevelShape> shapesOf(const Hierarchy& hierarchy, Division division) {
  std::vector<LevelShape> shapes;
  double slices = 1;
  double owned = 1;
  for (int level = 0; level < hierarchy.levels(); ++level) {
    const std::vector<Rank> sizes = hierarchy.memberCounts(level);
    LevelShape shape;
    shape.phase.level = level;
    shape.phase.members = sizes.back();
    shape.phase.share = 1 / slices;
    shape.phase.runs = owned;
    shape.phase.atOnce = slices;
    shape.gathered = static_cast<double>(hierarchy.ranksOf(level, 0).size()) / hierarchy.ranks();
    shapes.push_back(shape);
    if (division == Division::leaders) continue;
    slices *= sizes.back();
    owned *= (sizes.back() + sizes.front() - 1) / sizes.front();
  }
  return shapes;
}

Phase phaseOf(const LevelShape& shape, Collective collective, Division division, bool outward) {
  Phase phase = shape.phase;
  phase.collective = collective;
  phase.outward = outward;
  // A leader gathers and scatters what belongs to its own group; slices are of that already.
  const bool ownBlocks = collective == Collective::gather || collective == Collective::scatter;
  if (division == Division::leaders && ownBlocks) phase.share = shape.gathered;
  return phase;
}

}  // namespace

std::vector<Phase> phasesOf(Collective collective, const Hierarchy& hierarchy, Division division) {
  const std::vector<LevelShape> shapes = shapesOf(hierarchy, division);
  std::vector<Phase> phases;
  std::vector<Phase> back;
  for (std::size_t level = 0; level < shapes.size(); ++level) {
    const LevelCollectives runs = levelCollectives(collective, division, level + 1 == shapes.size());
    if (runs.inward) phases.push_back(phaseOf(shapes[level], *runs.inward, division, false));
    if (runs.outward) back.push_back(phaseOf(shapes[level], *runs.outward, division, true));
  }
  phases.insert(phases.end(), back.rbegin(), back.rend());
  return phases;
}

bool fitsPhase(const Algorithm& algorithm, const Phase& phase, const Hierarchy& hierarchy) {
  if (algorithm.phases != nullptr) return false;
  const auto served = [&](Rank members) { return members == 1 || algorithm.serves(phase.collective, members, false); };
  if (!std::ranges::all_of(hierarchy.memberCounts(phase.level), served)) return false;
  PlanRequest request;
  request.collective = phase.collective;
  request.ranks = phase.members;
  request.root = isRooted(phase.collective) ? 0 : kNoRank;
  const Plan plan = algorithm.generate(request);
  return plan.shares == 1 && plan.lanes.size() == 1 && keepsNames(plan);
}

}  // namespace atl::plan
