// SPDX-License-Identifier: Apache-2.0
#include "src/plan/chooser.h"

#include <algorithm>
#include <utility>

#include "src/plan/level_price.h"
#include "src/plan/price.h"

namespace atl::plan {
namespace {

/// Predictions that are this near to each other say little of which is faster.
constexpr double kAlike = 1.05;

/// Where the best is composed, another composed one that is as good comes first if it asks less of the links and the
/// cores. Messages of all strands are on their way at once, and what of them a slow link's queue does not hold is lost
/// and sent again; a leader's core may be busy with other ranks when it is wanted, and what it sends goes through one
/// connection. The model knows neither.
void preferSimplerForms(std::vector<Candidate>& sorted) {
  const auto asks = [](const Candidate& c) { return std::pair(c.algorithm->strands, c.algorithm->leaders); };
  auto best = sorted.begin();
  for (auto it = sorted.begin(); it != sorted.end() && it->seconds <= kAlike * sorted.front().seconds; ++it) {
    if (it->algorithm->phases != nullptr && asks(*it) < asks(*best)) best = it;
  }
  std::rotate(sorted.begin(), best, best + 1);
}

}  // namespace

Result<std::vector<Candidate>> rank(const Choice& choice, const SiteModel& site, const ForcedAlgorithms& forced) {
  const auto able = [&](const Algorithm& algorithm) { return canServe(algorithm, choice); };
  if (const Algorithm* wanted = forced.forCollective(choice.collective); wanted != nullptr) {
    if (!able(*wanted)) {
      return makeError(ErrorCode::unsupported, "the forced algorithm '{}' cannot serve {}{}; these can: {}",
                       wanted->name, nameOf(choice.collective), needsOf(choice), namesOfAlgorithms(able));
    }
    return std::vector{predict(*wanted, choice, site)};
  }
  std::vector<Candidate> candidates;
  for (const Algorithm& algorithm : catalogue()) {
    if (!able(algorithm) || (algorithm.phases != nullptr && !site.hasLevels())) continue;
    candidates.push_back(predict(algorithm, choice, site));
  }
  if (candidates.empty()) {
    return makeError(ErrorCode::unsupported, "no algorithm serves {}{}", nameOf(choice.collective), needsOf(choice));
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.seconds < b.seconds; });
  preferSimplerForms(candidates);
  return candidates;
}

Candidate predict(const Algorithm& algorithm, const Choice& choice, const SiteModel& site) {
  if (!site.hasLevels()) return {&algorithm, priceOf(algorithm, choice, site.link()).total(), {}};
  LevelsPrice price = priceOverLevels(algorithm, choice, site);
  return {&algorithm, price.seconds, std::move(price.algorithms)};
}

Result<Decision> decide(const Choice& choice, const SiteModel& site, const ForcedAlgorithms& forced,
                        const TunedSite* tuned) {
  Decision decision;
  ATOLL_ASSIGN(decision.ranked, rank(choice, site, forced));
  if (forced.forCollective(choice.collective) != nullptr) {
    decision.by = Decision::By::user;
    return decision;
  }
  decision.ofModel = decision.ranked.front().algorithm;
  const TuningRow* const row = tuned == nullptr ? nullptr : tuned->rowFor(choice.collective, choice.bytes);
  if (row == nullptr) return decision;
  std::vector<Candidate> measured;
  for (const MeasuredTime& time : row->times) {
    if (canServe(*time.algorithm, choice)) measured.push_back({time.algorithm, time.seconds, {}});
  }
  if (measured.empty()) return decision;
  // A table knows algorithms, not what they run at each level.
  Candidate& fastest = measured.front();
  if (fastest.algorithm->phases != nullptr) fastest.levels = predict(*fastest.algorithm, choice, site).levels;
  decision.by = Decision::By::table;
  decision.ranked = std::move(measured);
  decision.row = row;
  decision.tuned = tuned;
  return decision;
}

}  // namespace atl::plan
