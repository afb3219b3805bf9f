// SPDX-License-Identifier: Apache-2.0
// Where the ranks of a communicator, or of a system that is only thought of, are and what joins them: a tree of levels
// (plan/hierarchy.h), each with its network (level.h).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/plan/hierarchy.h"
#include "src/topology/level.h"

namespace atl {

/// An immutable value. A regular system takes a few hundred bytes, whatever its size; an irregular one what its
/// hierarchy takes, and its labels.
class Topology {
 public:
  /// What people call the islands of each level, in their order, such as host names; a level without any is empty. Some
  /// levels, inner to outer, or none.
  using Labels = std::vector<std::vector<std::string>>;

  /// `levels` are those of the hierarchy. Errors name the level, the field and the value.
  static Result<Topology> make(std::string name, plan::Hierarchy hierarchy, std::vector<Level> levels,
                               Labels labels = {});

  /// For people; may be empty.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const plan::Hierarchy& hierarchy() const { return hierarchy_; }
  [[nodiscard]] std::span<const Level> levels() const { return levels_; }
  [[nodiscard]] const Level& level(int number) const { return levels_[static_cast<std::size_t>(number)]; }
  [[nodiscard]] Rank ranks() const { return hierarchy_.ranks(); }

  /// The label of an island, or "host 3" where there is none, or "host" where the level has only one.
  [[nodiscard]] std::string label(int level, std::int32_t group) const;
  [[nodiscard]] bool hasLabels(int level) const;
  [[nodiscard]] const Labels& labels() const { return labels_; }

  /// Ports into the level that a member of it has; members are numbered through the whole level: a member of level 0 is
  /// a place of the hierarchy, one of level l a group of level l − 1.
  [[nodiscard]] std::int64_t portsOf(int level, std::int32_t member) const;

  /// What a port gives to data, in bytes per second each way; 0: not known.
  [[nodiscard]] double portRate(int level) const;

  /// What a member's uplink into the level carries, oversubscription included: its ports together, divided by that.
  [[nodiscard]] double uplinkRate(int level, std::int32_t member) const;

  /// The same of every member of the level, by its number; one value where all are alike.
  [[nodiscard]] std::vector<double> uplinkRates(int level) const;

  /// What each rank gets of the level when all ranks send into it at once: the least share of any member's uplink.
  [[nodiscard]] double rateOfEach(int level) const;

  /// Time of a small message between two ranks, by the innermost level that joins them; 0: not known, or one rank.
  [[nodiscard]] double latency(Rank a, Rank b) const;

  /// The same for some of the ranks: `chosen[i]` is the old number of rank i. A torus or mesh that loses members keeps
  /// no dimensions.
  [[nodiscard]] Topology subset(std::span<const Rank> chosen) const;

  /// The same tree, with what `told` says of levels of the same names in place of what was known; a torus or mesh keeps
  /// its dimensions where they fit.
  [[nodiscard]] Topology describedBy(std::string name, std::span<const Level> told) const;

  /// Without the levels that join nothing because all their islands have one member; one level stays.
  [[nodiscard]] Topology joiningLevels() const;

  [[nodiscard]] std::size_t bytesHeld() const;

  friend bool operator==(const Topology&, const Topology&) = default;

 private:
  Topology(std::string name, plan::Hierarchy hierarchy, std::vector<Level> levels, Labels labels)
      : name_(std::move(name)),
        hierarchy_(std::move(hierarchy)),
        levels_(std::move(levels)),
        labels_(std::move(labels)) {}

  std::string name_;
  plan::Hierarchy hierarchy_;
  std::vector<Level> levels_;
  Labels labels_;
};

}  // namespace atl
