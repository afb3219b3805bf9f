// SPDX-License-Identifier: Apache-2.0
// What a composed plan (hierarchical.h) runs at each level, as the cost model sees it.
#pragma once

#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/hierarchy.h"
#include "src/plan/slicing.h"

namespace atl::plan {

/// The groups of one level, each running a collective of the catalogue at the same time.
struct Phase {
  int level = 0;
  bool outward = false;  ///< which of LevelAlgorithms it runs
  Collective collective = Collective::allReduce;
  Rank members = 1;     ///< of the largest group
  double share = 1;     ///< the part of a rank's payload that one run of the collective has; with leaders more than all
  double runs = 1;      ///< how many of them the busiest rank takes part in, one after another
  bool packed = false;  ///< blocks of several ranks travel as one, so that only plans that isStraight() can be used
  double taking = 1;    ///< the part of all ranks that take part
  double atOnce = 1;    ///< runs of which messages go through the uplink of one member of the level
};

/// The phases of a composition in the order in which a rank runs them. The collective can be composed, and all levels
/// join something.
std::vector<Phase> phasesOf(Collective collective, const Hierarchy& hierarchy, Division division);

}  // namespace atl::plan
