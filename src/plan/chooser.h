// SPDX-License-Identifier: Apache-2.0
// The chooser: the algorithm that the user forces; else the one that a tuning table says was fastest; else the one that
// the cost model prices lowest.
#pragma once

#include <cstdint>
#include <vector>

#include "src/base/result.h"
#include "src/plan/choice.h"
#include "src/plan/forced_algorithms.h"
#include "src/plan/site_model.h"
#include "src/plan/tuning_table.h"

namespace atl::plan {

/// An algorithm for the call.
struct Candidate {
  const Algorithm* algorithm = nullptr;
  double seconds = 0;                   ///< predicted, or measured where a tuning table decides
  std::vector<LevelAlgorithms> levels;  ///< of an algorithm composed for islands, as PlanRequest::levels; else empty
};

/// A choice, and how it came about.
struct Decision {
  enum class By : std::uint8_t { user, table, model };

  By by = By::model;
  std::vector<Candidate> ranked;       ///< the first is taken; the others are what was passed over, best first
  const TuningRow* row = nullptr;      ///< the row that decided; in the TunedSite that was given
  const TunedSite* tuned = nullptr;    ///< where the row stands
  const Algorithm* ofModel = nullptr;  ///< what the cost model takes, were there no table; null where the user forces

  [[nodiscard]] const Candidate& taken() const { return ranked.front(); }
  [[nodiscard]] const Algorithm& algorithm() const { return *taken().algorithm; }
};

/// Candidates from cheapest to dearest, but that where composed ones are as cheap as the first the one in the fewest
/// strands comes first. An error if a forced algorithm cannot serve the call (it says why), or if none can.
Result<std::vector<Candidate>> rank(const Choice& choice, const SiteModel& site, const ForcedAlgorithms& forced);

/// Who decides, and what: a forced algorithm before a table's row, a row before the model. `tuned` is what was measured
/// where the call runs, or null. Of a row the fastest algorithm is taken that can serve the call; where none can, and
/// where no row speaks for the size, the model decides. Errors as of rank().
Result<Decision> decide(const Choice& choice, const SiteModel& site, const ForcedAlgorithms& forced,
                        const TunedSite* tuned);

/// The algorithm with its predicted time and what it would run at each level.
Candidate predict(const Algorithm& algorithm, const Choice& choice, const SiteModel& site);

}  // namespace atl::plan
