// SPDX-License-Identifier: Apache-2.0
#include "src/plan/phases.h"

#include "src/plan/hierarchical.h"

namespace atl::plan {
namespace {

/// Phases of one level, without their collective.
struct LevelShape {
  Phase phase;
  Rank ranks = 1;        ///< in a group
  Rank memberRanks = 1;  ///< in a member of one
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
    shape.ranks = hierarchy.ranksOf(level, 0).size();
    shape.memberRanks = level == 0 ? 1 : hierarchy.ranksOf(level - 1, 0).size();
    const bool leads = division == Division::leaders && level > 0;
    if (leads) shape.phase.taking = static_cast<double>(hierarchy.groups(level - 1)) / hierarchy.ranks();
    shapes.push_back(shape);
    if (division == Division::leaders) continue;
    slices *= sizes.back();
    owned *= (sizes.back() + sizes.front() - 1) / sizes.front();
  }
  return shapes;
}

/// The part of a rank's payload that one run has. In an all-to-all a rank hands on the payloads of all that it has
/// gathered, a slice of each.
double shareOf(const LevelShape& shape, Collective whole, Collective collective, Division division, Rank ranks) {
  const bool ownBlocks = collective == Collective::gather || collective == Collective::scatter;
  if (whole == Collective::allToAll) return shape.phase.share * (ownBlocks ? shape.ranks : shape.memberRanks);
  // Slices are of the group's own already.
  return division == Division::leaders && ownBlocks ? static_cast<double>(shape.ranks) / ranks : shape.phase.share;
}

}  // namespace

std::vector<Phase> phasesOf(Collective collective, const Hierarchy& hierarchy, Division division) {
  const std::vector<LevelShape> shapes = shapesOf(hierarchy, division);
  std::vector<Phase> phases;
  std::vector<Phase> back;
  for (std::size_t level = 0; level < shapes.size(); ++level) {
    const LevelCollectives runs = levelCollectives(collective, division, level + 1 == shapes.size());
    const auto phaseOf = [&](Collective its, bool outward) {
      Phase phase = shapes[level].phase;
      phase.collective = its;
      phase.outward = outward;
      phase.packed = collective == Collective::allToAll;
      phase.share = shareOf(shapes[level], collective, its, division, hierarchy.ranks());
      return phase;
    };
    if (runs.inward) phases.push_back(phaseOf(*runs.inward, false));
    if (runs.outward) back.push_back(phaseOf(*runs.outward, true));
  }
  phases.insert(phases.end(), back.rbegin(), back.rend());
  return phases;
}

}  // namespace atl::plan
