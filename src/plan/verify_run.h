// SPDX-License-Identifier: Apache-2.0
// The symbolic run: every lane of every rank as a sequential process, joined by synchronous messages.
#pragma once

#include <span>

#include "src/base/result.h"
#include "src/plan/plan.h"
#include "src/plan/verify.h"
#include "src/plan/verify_cells.h"

namespace atl::plan {

/// Runs a family whose shapes, ranges and local hazards are sound, and checks what every cell gets and ends with.
Result<Proof> runSymbolically(std::span<const Plan> plans, std::span<const CellGrid> grids,
                              const VerifyOptions& options);

}  // namespace atl::plan
