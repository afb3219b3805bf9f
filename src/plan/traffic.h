// SPDX-License-Identifier: Apache-2.0
// What plans move over the levels of a hierarchy, counted from the plans themselves.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <vector>

#include "src/plan/algorithm.h"
#include "src/plan/hierarchy.h"

namespace atl::plan {

/// What one rank's plan does. Bytes are parts of the payload.
struct Traffic {
  /// With peers that the level joins: those whose innermost common level it is.
  struct Level {
    Work work;           ///< `reduced` is not counted by level
    double rounds = 0;   ///< of the longest lane, those in which no peer is further out
    double senders = 0;  ///< different ranks that it takes from
  };

  std::vector<Level> levels;  ///< inner to outer
  double reduced = 0;         ///< as Work::reduced

  /// All levels together.
  [[nodiscard]] Work work() const;
  [[nodiscard]] double rounds() const;
};

/// Takes time for every message. The plan is shaped as the verifier wants (checkShape()).
Traffic trafficOf(const Plan& plan, const Hierarchy& hierarchy);

/// What crosses the uplink of a level's busiest member; parts of the payload.
struct UplinkLoad {
  double fuller = 0;  ///< in the fuller direction
  double inTurn = 0;  ///< the fuller direction of each round, summed: as if no round began before the last is over
  /// Most ranks from which a rank behind it takes through it, no count of bytes. Ranks drift apart by rounds, so those
  /// of different rounds meet as well.
  double senders = 0;

  /// What the uplink is busy with, one way, of a payload of so many bytes. Ranks pass on what they have of a message
  /// while the rest of it comes, so both directions are in use at the same time but for the first kPassedOn bytes.
  [[nodiscard]] double bytesOf(double payload) const {
    return fuller * payload + std::min((inTurn - fuller) * payload, kPassedOn);
  }
  static constexpr double kPassedOn = 32 << 10;
};

/// What a family of plans does.
struct Footprint {
  std::vector<Traffic> ranks;  ///< each kind of rank once; of large groups, of those that were looked at
  Traffic mean;                ///< of a rank, without its rounds
  /// By level. Uplinks of the innermost level are the ranks' own ports, which only messages within the level use;
  /// further out, messages use those of every level that they pass.
  std::vector<UplinkLoad> uplinks;
  /// Whether plans composed for islands can use it: one lane, and every part keeps its name; or, where they pack blocks
  /// that have none, one lane of whole blocks from their senders straight to their receivers.
  bool keepsNames = false;
  bool isStraight = false;
};

/// Up to this many ranks, all are looked at; of more, some of one of the outermost level's members stand for the rest.
inline constexpr Rank kMostWalked = 64;

/// Of the algorithm's plans for the request, whose `rank` does not count; it names a hierarchy.
Footprint footprintOf(const Algorithm& algorithm, const PlanRequest& request);

/// Footprints on one hierarchy, and on groups that are all joined alike; each made when it is first asked for. From any
/// thread.
class Footprints {
 public:
  /// The hierarchy is kept, not copied.
  explicit Footprints(const Hierarchy& hierarchy) : hierarchy_(hierarchy) {}

  std::shared_ptr<const Footprint> of(const Algorithm& algorithm, Collective collective, Rank root);
  std::shared_ptr<const Footprint> ofFlat(const Algorithm& algorithm, Collective collective, Rank ranks, Rank root);

 private:
  using Key = std::tuple<const Algorithm*, Collective, Rank, Rank>;  ///< ranks (0: the hierarchy's) and root

  std::shared_ptr<const Footprint> on(const Hierarchy& hierarchy, const Key& key);

  const Hierarchy& hierarchy_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const Footprint>> known_;
};

}  // namespace atl::plan
