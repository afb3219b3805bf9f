// SPDX-License-Identifier: Apache-2.0
// Families of generated plans, for the tests of generators.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "src/plan/algorithm.h"

namespace atl::plan {

/// An algorithm and a collective that it serves.
struct Pairing {
  const Algorithm* algorithm;
  Collective collective;
};

inline std::vector<Collective> plannedCollectives() {
  std::vector<Collective> all;
  for (int c = 0; c < kCollectives; ++c) {
    if (static_cast<Collective>(c) != Collective::pointToPoint) all.push_back(static_cast<Collective>(c));
  }
  return all;
}

inline std::vector<Pairing> everyPairing() {
  std::vector<Pairing> pairings;
  for (const Algorithm& algorithm : catalogue()) {
    for (const Collective collective : plannedCollectives()) {
      if (algorithm.serves(collective, 2, false)) pairings.push_back({&algorithm, collective});
    }
  }
  return pairings;
}

/// "two_shot_allreduce", fit for a test's name.
inline std::string nameOf(const Pairing& pairing) {
  std::string name = std::string(pairing.algorithm->name) + "_" + std::string(nameOf(pairing.collective));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// Roots worth trying: first, second, middle, last; or none.
inline std::vector<Rank> rootsFor(Collective collective, Rank ranks) {
  if (!isRooted(collective)) return {kNoRank};
  std::set<Rank> roots{0, ranks / 2, ranks - 1};
  if (ranks > 1) roots.insert(1);
  return {roots.begin(), roots.end()};
}

/// One rank's plan.
inline Plan planOf(const Pairing& pairing, Rank ranks, Rank rank, Rank root, std::int32_t shares = 1) {
  PlanRequest request;
  request.collective = pairing.collective;
  request.ranks = ranks;
  request.rank = rank;
  request.root = root;
  request.shares = shares;
  return pairing.algorithm->generate(request);
}

inline std::vector<Plan> familyOf(const Pairing& pairing, Rank ranks, Rank root, std::int32_t shares = 1) {
  std::vector<Plan> plans;
  plans.reserve(static_cast<std::size_t>(ranks));
  for (Rank rank = 0; rank < ranks; ++rank) plans.push_back(planOf(pairing, ranks, rank, root, shares));
  return plans;
}

/// Steps as written (a repeated one counts once): what a plan costs to make and keep.
inline std::int64_t stepsWritten(const Plan& plan) {
  std::int64_t steps = 0;
  for (const Lane& lane : plan.lanes) {
    for (const Loop& loop : lane.loops) {
      for (const Round& round : loop.rounds) steps += static_cast<std::int64_t>(round.steps.size());
    }
  }
  return steps;
}

/// Messages sent and taken in one pass.
inline std::int64_t messagesOf(const Plan& plan) {
  std::int64_t messages = 0;
  for (const Lane& lane : plan.lanes) {
    for (const Loop& loop : lane.loops) {
      for (const Round& round : loop.rounds) {
        for (const Step& step : round.steps) {
          const auto taken = std::count_if(step.operands.begin(), step.operands.end(),
                                           [](const Operand& operand) { return operand.isPeer(); });
          messages += loop.repeat * (static_cast<std::int64_t>(step.to.size()) + taken);
        }
      }
    }
  }
  return messages;
}

}  // namespace atl::plan
