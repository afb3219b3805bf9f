// SPDX-License-Identifier: Apache-2.0
// The communicators of one thread's rank: one for each algorithm, which forces it.
#pragma once

#include <memory>
#include <vector>

#include "bench/perf/team.h"
#include "src/base/result.h"
#include "src/plan/algorithm.h"
#include "src/plan/tuning_table.h"

namespace atl::tools {

/// A communicator of all ranks that runs one algorithm wherever that has a plan.
struct Entrant {
  const plan::Algorithm* algorithm = nullptr;
  std::unique_ptr<perf::Team> team;
};

/// What the library says of a call that nobody forces.
struct BuiltInChoice {
  const plan::Algorithm* algorithm = nullptr;
  plan::TuningSite site;
};

class Entrants {
 public:
  /// Splits `team` once for each algorithm that serves one of `collectives` on its ranks. Called by every team alike.
  static Result<Entrants> make(const perf::Team& team, const std::vector<Collective>& collectives);

  /// Those that serve the collective.
  [[nodiscard]] std::vector<const Entrant*> of(Collective collective) const;

  /// What the cost model chooses, whatever ATOLL_ALGO and ATOLL_TUNING say.
  [[nodiscard]] Result<BuiltInChoice> builtIn(Collective collective, std::uint64_t bytes) const;

  /// Ends the communicators in good order; every rank takes part.
  Status close();

 private:
  std::vector<Entrant> entrants_;
  std::unique_ptr<perf::Team> free_;  ///< forces nothing
  int ranks_ = 1;
};

}  // namespace atl::tools
