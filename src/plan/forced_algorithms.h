// SPDX-License-Identifier: Apache-2.0
// What the user forces (ATOLL_ALGO).
#pragma once

#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/plan/algorithm.h"

namespace atl::plan {

/// Rules such as "ring" or "allreduce:ring,broadcast:chain" (the value of ATOLL_ALGO), parsed once. A bare name is for
/// every collective that the algorithm has a plan for, and leaves the others free; a rule for one collective goes
/// before it.
class ForcedAlgorithms {
 public:
  /// Errors name an unknown collective or algorithm, or one that never serves the collective, and list those there are.
  static Result<ForcedAlgorithms> parse(std::string_view text);
  /// The forced algorithm for a collective, or null.
  [[nodiscard]] const Algorithm* forCollective(Collective collective) const;

 private:
  std::vector<const Algorithm*> byCollective_ = std::vector<const Algorithm*>(kCollectives, nullptr);
};

}  // namespace atl::plan
