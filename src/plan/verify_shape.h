// SPDX-License-Identifier: Apache-2.0
// The verifier's first look: is each plan well formed by itself, and are the plans one family?
#pragma once

#include <span>

#include "src/base/result.h"
#include "src/plan/plan.h"

namespace atl::plan {

/// Bound on lanes of a plan and on shares; far beyond use, it keeps tables over pairs of lanes small.
inline constexpr std::int32_t kMaxLanes = 256;

/// Everything that one plan's fields can get wrong by themselves: ranges, kinds of operands, repeats.
Status checkShape(const Plan& plan);

/// That the plans are those of every rank of one family, in order.
Status checkFamily(std::span<const Plan> plans);

}  // namespace atl::plan
