// SPDX-License-Identifier: Apache-2.0
// From a call to its plan: the user's own, or of the algorithm that is chosen for it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "src/comm/algorithm_choice.h"
#include "src/comm/call_kind.h"
#include "src/comm/choosing.h"
#include "src/plan/hierarchy.h"
#include "src/plan/plan.h"

namespace atl {

/// What a call runs, before it is joined to links.
struct Planned {
  std::shared_ptr<const Plan> plan;
  std::int32_t tiles = 1;
  CallRecord record;
  std::uint64_t payloadBytes = 0;
  std::uint64_t inputBytes = 0;   ///< of this rank's input buffer …
  std::uint64_t outputBytes = 0;  ///< … and of its output buffer
};

class Planner {
 public:
  /// `hierarchy` is where the ranks are; it must outlive this, as `settings` must.
  Planner(Rank rank, const plan::Hierarchy& hierarchy, const Settings& settings, Choosing choosing);

  [[nodiscard]] Rank rank() const { return rank_; }
  [[nodiscard]] Rank ranks() const { return ranks_; }

  /// Forgets every plan but the user's, and goes by these from now on.
  void goBy(const plan::Hierarchy& hierarchy, Choosing choosing);

  /// `shares`: parallel shares of the data where the algorithm is free to choose (PlanRequest).
  Result<Planned> plan(const Call& call, std::int32_t shares = 1);

  /// nccl-tests' "size" of a call.
  [[nodiscard]] std::uint64_t payloadBytes(const Call& call) const;

  /// Bytes of an all-to-all-v's heads (head_bytes.h), or 0.
  Result<std::size_t> headBytes();

  /// A user's plan for every later call of its collective (the same root, where there is one).
  void use(std::shared_ptr<const Plan> plan);

  /// What a call of `bytes` payload would run, with an operator that commutes, equal blocks and, where there is one,
  /// the root 0.
  [[nodiscard]] Result<AlgorithmChoice> choiceFor(Collective collective, std::uint64_t bytes) const;

  /// How long a call will take; 0 for a plan of the user's own, of which nothing is known.
  [[nodiscard]] Result<double> predict(const Call& call) const;
  /// Likewise sends and receives at once, each by the slowest link that there is.
  [[nodiscard]] double predict(std::span<const PointToPoint> operations) const;

 private:
  [[nodiscard]] plan::Choice choiceOf(const Call& call, std::uint64_t payloadBytes) const;
  Result<std::shared_ptr<const Plan>> planFor(const Call& call, std::uint64_t payloadBytes, std::int32_t shares);

  Rank rank_;
  Rank ranks_;
  const plan::Hierarchy* hierarchy_;
  const Settings& settings_;
  Choosing choosing_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const Plan>> plans_;  ///< by collective, algorithm, root and shares
  std::array<std::vector<std::shared_ptr<const Plan>>, kCollectives> userPlans_;
  std::optional<std::size_t> headBytes_;
};

}  // namespace atl
