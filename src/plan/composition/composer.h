// SPDX-License-Identifier: Apache-2.0
// What compositions are written with (collectives.cc): a rank's place in the hierarchy, and sections one after another.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "src/base/result.h"
#include "src/plan/composition/exchange.h"
#include "src/plan/composition/holdings.h"
#include "src/plan/composition/section.h"
#include "src/plan/hierarchical.h"

namespace atl::plan {

/// A member of no group.
inline constexpr std::int32_t kNoMember = -1;

class Composer {
 public:
  /// All of them must outlive this.
  Composer(const PlanRequest& request, const Hierarchy& hierarchy, std::span<const LevelAlgorithms> levels,
           Division division);

  /// Finds the cut of the payload that names everything. Depends on nothing of the rank's own, and so do its errors: an
  /// algorithm that does not serve some group of its level, or a payload cut finer than plans can name.
  Status prepare();

  [[nodiscard]] const PlanRequest& request() const { return request_; }
  [[nodiscard]] const Hierarchy& hierarchy() const { return hierarchy_; }
  [[nodiscard]] bool usesLeaders() const { return slicing_.division() == Division::leaders; }
  [[nodiscard]] bool outermost(int level) const { return level == hierarchy_.levels() - 1; }
  [[nodiscard]] LevelCollectives collectives(int level) const;
  /// This rank's group has no other members.
  [[nodiscard]] bool alone(int level) const { return members(level) == 1; }
  /// The members of this rank's group, and which of them it is in.
  [[nodiscard]] std::int32_t members(int level) const { return hierarchy_.members(level, group(level)); }
  [[nodiscard]] std::int32_t member(int level) const { return hierarchy_.memberOf(level, request_.rank); }
  /// The ranks of one of them, in the order of their places.
  [[nodiscard]] std::vector<Rank> ranksOfMember(int level, std::int32_t member) const;
  /// The member of this rank's group that the root is in, or kNoMember.
  [[nodiscard]] std::int32_t rootMember(int level) const;
  /// The member of this rank's group that owns the first slice; with leaders, the one that leads it.
  [[nodiscard]] std::int32_t leadingMember(int level) const { return slicing_.ownerMember(level, group(level), 0); }
  /// Whether this rank owns slices at the level, so that it goes on to the next.
  [[nodiscard]] bool goesOn(int level) const { return owned(level).count > 0; }
  /// Whether this rank is the collective's root.
  [[nodiscard]] bool isRoot() const { return request_.rank == request_.root; }

  /// The number of the first slice of the level that a rank's group or, at level 0, the rank itself owns.
  [[nodiscard]] std::int32_t sliceOf(int level, Rank rank) const;
  /// The member of this rank's group that what is for a rank has to go to next: where that rank's slice is owned, and
  /// at the outermost level where the rank is.
  [[nodiscard]] std::int32_t memberTowards(int level, Rank rank) const;

  /// The numbers of the slice that is being worked on, by the levels that forEachOwned() has led through.
  [[nodiscard]] SlicePath path() const { return path_; }
  /// That slice.
  [[nodiscard]] Region slice() const { return holdings_.slice(path_); }
  /// What members of this rank's group hold of it.
  [[nodiscard]] std::vector<Region> ofMembers(int level) const {
    return holdings_.ofMembers(level, group(level), path_);
  }
  /// What this rank holds of it.
  [[nodiscard]] Region mine(int level) const;

  /// The blocks of the ranks in this rank's group. Of payloads with a block for each rank.
  [[nodiscard]] Region ofGroup(int level) const { return holdings_.ofGroup(level, group(level)); }

  /// For each slice that this rank owns at the level, with that slice as the one that is worked on.
  template <class Visit>
  void forEachOwned(int level, Visit&& visit) {
    const SliceRun run = owned(level);
    for (std::int32_t i = run.first; i < run.first + run.count; ++i) {
      path_.push_back(i);
      visit();
      path_.pop_back();
    }
  }

  /// A place in scratch of its own, until the mark that was taken before is released.
  Place reserve(Region region);
  /// The first of so many slots of a block each. Of payloads with a block for each rank.
  std::int32_t reserveBlocks(std::int32_t count);
  [[nodiscard]] std::int64_t mark() const { return nextSlot_; }
  void release(std::int64_t mark) { nextSlot_ = mark; }

  /// Adds a section among the owners of the slice in this rank's group: a collective of `levelCollectives` by the
  /// algorithm that stands for it. Its blocks are what the members hold, or the slice where it has one block. Nothing
  /// if the group has no other members.
  void inward(int level, const Place& source, const Place& target, std::int32_t root = kNoMember);
  void outward(int level, const Place& source, const Place& target, std::int32_t root = kNoMember);

  /// Adds an exchange among the same owners, whose plan and ranks are still to be filled in: by the algorithm that
  /// stands for its collective.
  void add(int level, Collective collective, std::int32_t root, Exchange exchange);
  void add(Copies copies);

  /// The plan of all sections. An error where it would need more scratch than plans can name.
  [[nodiscard]] Result<Plan> build(std::string_view name) const;

 private:
  struct Task {
    Collective collective;
    const Algorithm* algorithm;
  };

  [[nodiscard]] std::int32_t group(int level) const { return hierarchy_.groupOf(level, request_.rank); }
  [[nodiscard]] SliceRun owned(int level) const { return slicing_.owned(level, group(level), member(level)); }
  [[nodiscard]] Plan generate(const Task& task, Rank members, Rank rank, Rank root) const;
  Status refine(int level, const Task& task, Rank members);
  void add(int level, const Task& task, Place source, const Place& target, std::int32_t root);

  const PlanRequest& request_;
  const Hierarchy& hierarchy_;
  std::span<const LevelAlgorithms> levels_;
  Slicing slicing_;
  Holdings holdings_;
  std::int64_t parts_ = 1;
  std::vector<std::int32_t> path_;
  std::vector<std::variant<Section, Exchange, Copies>> sections_;
  std::int64_t nextSlot_ = 0;
  std::int64_t slots_ = 0;
};

}  // namespace atl::plan
