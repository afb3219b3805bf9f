// SPDX-License-Identifier: Apache-2.0
// The verifier's local look: within one rank, does any step write what a step that is not ordered before or after it
// reads or writes?
#pragma once

#include <span>

#include "src/base/result.h"
#include "src/plan/plan.h"
#include "src/plan/verify_cells.h"

namespace atl::plan {

/// Checks one rank's plan, whose shape is sound: chunks in range; nothing written in a round that another step of the
/// round touches; lanes of one share that meet in a cell ordered by Round::after, and without common scratch if the
/// plan is tileable. With `inPlace`, output and input cells are the same memory: besides, no input is read once it is
/// overwritten. `grids` has one grid per share.
Status checkHazards(const Plan& plan, std::span<const CellGrid> grids, bool inPlace);

/// Bytes of the tables that checkHazards() needs while it runs.
std::int64_t hazardTableBytes(const Plan& plan, std::span<const CellGrid> grids, bool inPlace);

}  // namespace atl::plan
