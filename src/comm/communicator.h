// SPDX-License-Identifier: Apache-2.0
// A communicator as one of its ranks holds it: who takes part, the links there are, the programs cached, and how it
// fails.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/base/settings.h"
#include "src/bootstrap/session.h"
#include "src/comm/algorithm_choice.h"
#include "src/comm/launches.h"
#include "src/exec/call.h"
#include "src/exec/execution.h"
#include "src/plan/plan.h"
#include "src/topology/topology.h"

namespace atl {

/// What `atoll info` and tests ask.
struct CommunicatorStats {
  std::uint64_t bytesHeld = 0;  ///< memory of this rank: tables, links, bounce slots, cached programs
  std::uint64_t links = 0;
  std::uint64_t programs = 0;  ///< lowered and cached
  std::uint64_t calls = 0;
};

/// Not thread-safe but for abort(), failure() and the const queries: calls on one communicator are made by one thread
/// at a time, in the same order on every rank.
class Communicator {
 public:
  /// Takes part in `session` as rank `me`. Cheap: links are made when calls first need them. Not collective. Fails
  /// where settings name unknown algorithms, or where two ranks have no transport in common.
  static Result<std::unique_ptr<Communicator>> create(std::shared_ptr<Session> session, Rank me,
                                                      const Settings& settings);
  virtual ~Communicator() = default;

  [[nodiscard]] virtual Rank rank() const = 0;
  [[nodiscard]] virtual Rank ranks() const = 0;
  [[nodiscard]] virtual const Directory& directory() const = 0;
  [[nodiscard]] virtual const Settings& settings() const = 0;
  /// Where the ranks are and what joins them; the same on every rank.
  [[nodiscard]] virtual const Topology& topology() const = 0;

  /// Runs a collective to its end in this thread. The hot path: after the first call of a kind, no planning, no
  /// allocation.
  virtual Status run(const Call& call) = 0;
  /// Likewise the fused sends and receives of a group (to and from myself included).
  virtual Status run(std::span<const PointToPoint> operations) = 0;

  /// The number of the call that was run last, if nothing else was begun since and runAgain() can run it; 0: there is
  /// none.
  [[nodiscard]] virtual std::uint64_t repeatable() const = 0;
  /// Runs that call again, with the same buffers, if it has this number, and gives its new one. 0: it does not, and
  /// nothing was run.
  virtual Result<std::uint64_t> runAgain(std::uint64_t number) = 0;

  /// Begins a call; at most one is under way on a communicator. The execution belongs to the communicator and is valid
  /// until the next start or run. The caller drives it to its end.
  virtual Result<Execution*> start(const Call& call) = 0;
  virtual Result<Execution*> start(std::span<const PointToPoint> operations) = 0;

  /// For calls on a device that belong together; null where there is none, for calls in host memory are not launched.
  virtual Launches* launches() = 0;

  /// Collective over the parent. Members of equal `color` ≥ 0 form a communicator, ordered by (key, old rank); a
  /// negative color takes part and gets null. Blocks.
  virtual Result<std::unique_ptr<Communicator>> split(int color, int key, const Settings& settings) = 0;

  /// Collective over the ranks that `excluded` does not list, which all give the same list; this rank is one of them. A
  /// communicator of these ranks in their order, also where this one has failed or the others are dead. Blocks.
  virtual Result<std::unique_ptr<Communicator>> shrink(std::span<const Rank> excluded, const Settings& settings) = 0;

  /// Ends every call under way, here and on the other ranks, with ErrorCode::aborted. From any thread; idempotent.
  virtual void abort() = 0;

  /// Success while the communicator is usable; otherwise the error that ended it. From any thread.
  [[nodiscard]] virtual Status failure() const = 0;

  /// Loads a user's plan family (see plan/serialize.h): verified, then used for every later call of its collective on
  /// this communicator. Every rank loads the same file; ranks that differ find out at the call.
  virtual Status usePlan(std::span<const Plan> family) = 0;

  /// Collective: every rank goes by the topology file at `path` from now on, without new links. Blocks. Where a rank
  /// cannot read it, or two have different content, every rank gets an error and all keep the topology they have.
  virtual Status useTopology(const std::string& path) = 0;

  /// What a call of `bytes` payload (nccl-tests' "size") would run, with an operator that commutes, equal blocks and,
  /// where there is one, the root 0. Not collective; runs nothing.
  [[nodiscard]] virtual Result<AlgorithmChoice> choiceFor(Collective collective, std::uint64_t bytes) const = 0;

  /// How long a call will take, measured or by the cost model, without others beside it; 0 for a plan of the user's
  /// own. Not collective; runs nothing.
  [[nodiscard]] virtual Result<double> predict(const Call& call) const = 0;
  [[nodiscard]] virtual double predict(std::span<const PointToPoint> operations) const = 0;

  [[nodiscard]] virtual CommunicatorStats stats() const = 0;
};

}  // namespace atl
