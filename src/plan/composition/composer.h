// SPDX-License-Identifier: Apache-2.0
// What compositions are written with (collectives.cc): a rank's place in the hierarchy, and sections one after another.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "src/base/result.h"
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
  [[nodiscard]] bool outermost(int level) const { return level == hierarchy_.levels() - 1; }
  [[nodiscard]] LevelCollectives collectives(int level) const;
  /// This rank's group has no other members.
  [[nodiscard]] bool alone(int level) const { return hierarchy_.members(level, group(level)) == 1; }
  /// The member of this rank's group that the root is in, or kNoMember.
  [[nodiscard]] std::int32_t rootMember(int level) const;
  /// The member of this rank's group that owns the first slice; with leaders, the one that leads it.
  [[nodiscard]] std::int32_t leadingMember(int level) const { return slicing_.ownerMember(level, group(level), 0); }
  /// Whether this rank owns slices at the level, so that it goes on to the next.
  [[nodiscard]] bool goesOn(int level) const { return owned(level).count > 0; }
  /// Whether this rank is the collective's root.
  [[nodiscard]] bool isRoot() const { return request_.rank == request_.root; }

  /// The slice that is being worked on: the path that forEachOwned() has led along.
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
  [[nodiscard]] std::int64_t mark() const { return nextSlot_; }
  void release(std::int64_t mark) { nextSlot_ = mark; }

  /// Adds a section among the owners of the slice in this rank's group: a collective of `levelCollectives` by the
  /// algorithm that stands for it. Its blocks are what the members hold, or the slice where it has one block. Nothing
  /// if the group has no other members.
  void inward(int level, const Place& source, const Place& target, std::int32_t root = kNoMember);
  void outward(int level, const Place& source, const Place& target, std::int32_t root = kNoMember);

  /// The plan of all sections. An error where it would need more scratch than plans can name.
  [[nodiscard]] Result<Plan> build(std::string_view name) const;

 private:
  struct Task {
    Collective collective;
    const Algorithm* algorithm;
  };

  [[nodiscard]] std::int32_t group(int level) const { return hierarchy_.groupOf(level, request_.rank); }
  [[nodiscard]] SliceRun owned(int level) const {
    return slicing_.owned(level, group(level), hierarchy_.memberOf(level, request_.rank));
  }
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
  std::vector<Section> sections_;
  std::int64_t nextSlot_ = 0;
  std::int64_t slots_ = 0;
};

}  // namespace atl::plan
