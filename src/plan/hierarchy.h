// SPDX-License-Identifier: Apache-2.0
// Which ranks are near each other: a tree of groups in any number of levels, and nothing of what joins them.
//
// Level 0 is the innermost: its groups have ranks as members. The members of a group of level l are groups of level
// l − 1. The outermost level has one group, of all ranks. Groups of a level may have different numbers of members, or
// one only, and ranks may lie in the tree in any order.
//
// Places are the leaves of the tree from left to right: the ranks of a group have consecutive places. Groups of a level
// are numbered from left to right too, so that they are named by (level, number).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/base/result.h"
#include "src/base/types.h"

namespace atl::plan {

/// The ranks of one group, in the order of their places. Valid as long as the hierarchy that it is of.
class GroupRanks {
 public:
  GroupRanks(Rank first, Rank size, const Rank* rankAt) : first_(first), size_(size), rankAt_(rankAt) {}

  class Iterator {
   public:
    Iterator(Rank place, const Rank* rankAt) : place_(place), rankAt_(rankAt) {}
    Rank operator*() const { return rankAt_ == nullptr ? place_ : rankAt_[place_]; }
    Iterator& operator++() {
      ++place_;
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    Rank place_;
    const Rank* rankAt_;
  };

  [[nodiscard]] Rank size() const { return size_; }
  [[nodiscard]] Rank operator[](Rank index) const { return *Iterator(first_ + index, rankAt_); }
  [[nodiscard]] Iterator begin() const { return {first_, rankAt_}; }
  [[nodiscard]] Iterator end() const { return {first_ + size_, rankAt_}; }

 private:
  Rank first_;
  Rank size_;
  const Rank* rankAt_;  ///< by place; null: every rank is at the place of its own number
};

/// An immutable value. Levels whose groups are alike take no memory; at most 12 bytes a rank and a few a group
/// otherwise. Queries cost O(levels) at most.
class Hierarchy {
 public:
  static constexpr int kMostLevels = 16;
  static constexpr Rank kMostRanks = 1 << 24;

  /// Members of the groups of one level: one number where all groups have as many, else one for each group.
  using Members = std::vector<std::int32_t>;

  /// From the members of each level, inner to outer, and the rank at each place (empty: rank r is at place r). Errors
  /// name the level by its number from 0, and the value.
  static Result<Hierarchy> make(std::span<const Members> levels, std::vector<Rank> rankAt = {});

  /// From what each rank belongs to: `groupOf[l][r]` is any number that the ranks of a group of level l share with each
  /// other and with no one else of the same outer group; the outermost level is added. Groups come in the order of
  /// their lowest ranks, and ranks in their own order. At most kMostLevels − 1 levels, each with a number for every
  /// rank, of which there is at least one.
  static Hierarchy fromGroups(std::span<const std::vector<std::uint32_t>> groupOf, Rank ranks);

  /// One level, all ranks in it.
  static Hierarchy flat(Rank ranks);

  [[nodiscard]] Rank ranks() const { return ranks_; }
  [[nodiscard]] int levels() const { return static_cast<int>(tiers_.size()); }

  [[nodiscard]] std::int32_t groups(int level) const { return tier(level).groups; }
  /// The group of a level that the rank is in.
  [[nodiscard]] std::int32_t groupOf(int level, Rank rank) const;
  /// Which of its group's ranks it is.
  [[nodiscard]] Rank indexIn(int level, Rank rank) const;
  /// Which of its group's members it is in: the rank's coordinate in the level.
  [[nodiscard]] std::int32_t memberOf(int level, Rank rank) const;
  [[nodiscard]] GroupRanks ranksOf(int level, std::int32_t group) const;

  /// Members of a group (ranks at level 0, groups of the next inner level otherwise), and the number of its first.
  [[nodiscard]] std::int32_t members(int level, std::int32_t group) const;
  [[nodiscard]] std::int32_t firstMember(int level, std::int32_t group) const;

  /// How many groups of level `inner` are in a group of level `outer`, which is that level or one further out.
  [[nodiscard]] std::int32_t groupsWithin(int inner, int outer, std::int32_t group) const;
  /// How many members groups of the level have: each number once, in ascending order.
  [[nodiscard]] std::vector<std::int32_t> memberCounts(int level) const;
  /// Members of the level's largest group.
  [[nodiscard]] std::int32_t mostMembers(int level) const;

  /// Whether all groups of the level have as many ranks; and as many members.
  [[nodiscard]] bool equalRanks(int level) const { return tier(level).ranksEach != 0; }
  [[nodiscard]] bool equalMembers(int level) const { return tier(level).membersEach != 0; }
  /// Whether some group of the level has more than one member; a level without such joins nothing.
  [[nodiscard]] bool joins(int level) const;

  /// The innermost level that has both in one group; 0 also where they are the same rank.
  [[nodiscard]] int commonLevel(Rank a, Rank b) const;

  [[nodiscard]] Rank placeOf(Rank rank) const { return placeOf_.empty() ? rank : placeOf_[index(rank)]; }
  [[nodiscard]] Rank rankAt(Rank place) const { return rankAt_.empty() ? place : rankAt_[index(place)]; }
  /// Whether every rank is at the place of its own number.
  [[nodiscard]] bool inOrder() const { return rankAt_.empty(); }

  /// The same tree with other ranks at its places (empty: rank r is at place r). Errors name the rank.
  [[nodiscard]] Result<Hierarchy> placed(std::vector<Rank> rankAt) const;

  /// The same levels for some of the ranks: `chosen[i]` is the old number of rank i. Places keep their order; groups of
  /// which no one is left are gone. `chosen` is not empty and names no rank twice.
  [[nodiscard]] Hierarchy subset(std::span<const Rank> chosen) const;

  /// Without the named level, whose members become members of the next outer level; the outermost is named only if no
  /// group of the level below has company. At least one level stays.
  [[nodiscard]] Hierarchy without(int level) const;

  [[nodiscard]] std::size_t bytesHeld() const;

  friend bool operator==(const Hierarchy&, const Hierarchy&) = default;

 private:
  /// Tables are empty where division does.
  struct Tier {
    std::int32_t groups = 1;
    std::int32_t membersEach = 0;           ///< 0: groups have different numbers of them
    std::vector<std::int32_t> groupOf;      ///< by member
    std::vector<std::int32_t> firstMember;  ///< by group, and the end
    Rank ranksEach = 0;                     ///< 0: groups have different numbers of them
    std::vector<Rank> firstPlace;           ///< by group, and the end
    friend bool operator==(const Tier&, const Tier&) = default;
  };

  static std::size_t index(std::int32_t number) { return static_cast<std::size_t>(number); }
  [[nodiscard]] const Tier& tier(int level) const { return tiers_[index(level)]; }
  [[nodiscard]] Rank firstPlace(int level, std::int32_t group) const;
  [[nodiscard]] std::int32_t groupAt(int level, Rank place) const;
  /// All members of a level's groups, each group's number: the argument that make() takes.
  [[nodiscard]] Members membersAt(int level) const;

  /// From the rank at each place and, for each two neighbours, the highest level whose groups they do not share (−1:
  /// they share all).
  static Hierarchy fromPartings(std::vector<Rank> rankAt, std::span<const std::int8_t> parting, int levels);

  Rank ranks_ = 0;
  std::vector<Tier> tiers_;
  std::vector<Rank> rankAt_;   ///< by place; empty: in order
  std::vector<Rank> placeOf_;  ///< by rank; empty: in order
};

/// The same for equal hierarchies, for ranks to compare theirs.
std::uint64_t hashOf(const Hierarchy& hierarchy);

}  // namespace atl::plan
