// SPDX-License-Identifier: Apache-2.0
// Hierarchical plans: one plan for a tree of islands, composed of one algorithm for each level.
//
// An all-reduce goes inward by reduce-scatters, each among the owners of a slice at that level (slicing.h), until every
// slice has been reduced within the outermost level's members; there its owners, one in each member, all-reduce it; and
// all-gathers lead outward by the same ways. Every rank works at every level on a slice of its own, so all ports into
// a level carry the same at the same time and no island sends more than its part of the payload: 2 (H−1)/H S through
// the uplinks of each of H islands, which is the least for any all-reduce. The other collectives are made likewise; the
// least is (H−1)/H S for all-gather (in) and reduce-scatter (out), and S for broadcast and reduce. An all-to-all has
// nothing to save but messages: blocks for one island go together, through the rank that owns the destination's slice.
//
// Or each island has a leader, to whom everything goes and from whom everything comes: more bytes and less work in
// parallel, but the fewest messages between islands, which is what counts where payloads are small.
//
// The levels' plans come from the catalogue as they are, and what they name is renamed: their ranks become the owners
// of a slice, their parts become parts of it. Shares are strands of their own, so one share is on its way through the
// islands while another is between them.
//
// Source: reduce-scatter, all-reduce, all-gather over two levels is common ("2D all-reduce", BlueConnect: M. Cho et
// al., "BlueConnect: decomposing all-reduce for deep learning on heterogeneous network hierarchy", SysML 2019), and so
// are leaders (N. T. Karonis et al., IPDPS 2000); the slices of unequal islands are this project's.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "src/base/result.h"
#include "src/plan/algorithm.h"
#include "src/plan/hierarchy.h"
#include "src/plan/slicing.h"

namespace atl::plan {

/// What a level runs of its algorithms: LevelAlgorithms without a counterpart here are not looked at.
struct LevelCollectives {
  std::optional<Collective> inward;
  std::optional<Collective> outward;
};

/// For a collective that can be composed; none for others. The outermost level's is all in `inward`.
LevelCollectives levelCollectives(Collective collective, Division division, bool outermost);

/// Whether a collective can be composed.
bool composes(Collective collective);

/// Without the levels that join nothing. One level stays.
Hierarchy joiningLevels(Hierarchy hierarchy);

/// The plan of one rank, by the name `name`. `levels` has an entry for each level of the hierarchy, inner to outer,
/// with algorithms for its levelCollectives; all ranks give the same. The time and memory that it takes grow with the
/// steps of a rank that takes part at every level, with the members of its groups, and where groups of a level differ
/// in size, with their number. Errors, the same on all ranks: a collective that cannot be composed, other numbers of
/// ranks or levels, an algorithm that does not serve a group or has lanes beyond its shares, or a payload cut finer
/// than plans can name.
Result<Plan> compose(const PlanRequest& request, const Hierarchy& hierarchy, std::span<const LevelAlgorithms> levels,
                     Division division, std::string_view name);

}  // namespace atl::plan
