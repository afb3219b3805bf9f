// SPDX-License-Identifier: Apache-2.0
#include "src/plan/hierarchy.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "src/base/hash.h"

namespace atl::plan {
namespace {

bool allEqual(std::span<const std::int32_t> values) {
  return std::ranges::all_of(values, [&](std::int32_t v) { return v == values.front(); });
}

/// How many members the groups of a level have together; an error where a count is none.
Result<std::int64_t> totalOf(const Hierarchy::Members& members, std::int32_t groups, std::size_t level) {
  if (members.size() != 1 && members.size() != static_cast<std::size_t>(groups)) {
    return makeError(ErrorCode::invalidArgument, "level {} has {} groups, but numbers of members for {}", level, groups,
                     members.size());
  }
  std::int64_t total = 0;
  for (const std::int32_t count : members) {
    if (count < 1) {
      return makeError(ErrorCode::invalidArgument, "level {} has a group of {} members; at least 1 is allowed", level,
                       count);
    }
    total += count;
  }
  if (members.size() == 1) total *= groups;
  if (total > Hierarchy::kMostRanks) {
    return makeError(ErrorCode::invalidArgument, "level {} has {} members; at most {} are allowed", level, total,
                     Hierarchy::kMostRanks);
  }
  return total;
}

/// The inverse of a permutation, or an error that says why it is none.
Result<std::vector<Rank>> inverseOf(std::span<const Rank> rankAt, Rank ranks) {
  if (rankAt.size() != static_cast<std::size_t>(ranks)) {
    return makeError(ErrorCode::invalidArgument, "{} ranks are placed, but there are places for {}", rankAt.size(),
                     ranks);
  }
  std::vector<Rank> placeOf(rankAt.size(), kNoRank);
  for (std::size_t place = 0; place < rankAt.size(); ++place) {
    const Rank rank = rankAt[place];
    if (rank < 0 || rank >= ranks) {
      return makeError(ErrorCode::invalidArgument, "rank {} is placed; ranks are 0 to {}", rank, ranks - 1);
    }
    auto& mine = placeOf[static_cast<std::size_t>(rank)];
    if (mine != kNoRank) return makeError(ErrorCode::invalidArgument, "rank {} is placed twice", rank);
    mine = static_cast<Rank>(place);
  }
  return placeOf;
}

}  // namespace

Result<Hierarchy> Hierarchy::make(std::span<const Members> levels, std::vector<Rank> rankAt) {
  if (levels.empty() || levels.size() > kMostLevels) {
    return makeError(ErrorCode::invalidArgument, "there are {} levels; 1 to {} are allowed", levels.size(),
                     kMostLevels);
  }
  Hierarchy made;
  made.tiers_.resize(levels.size());
  std::int64_t total = 1;
  for (std::size_t l = levels.size(); l-- > 0;) {
    Tier& tier = made.tiers_[l];
    tier.groups = static_cast<std::int32_t>(total);
    ATOLL_ASSIGN(total, totalOf(levels[l], tier.groups, l));
    if (allEqual(levels[l])) {
      tier.membersEach = levels[l].front();
      continue;
    }
    tier.groupOf.reserve(index(static_cast<std::int32_t>(total)));
    tier.firstMember.reserve(levels[l].size() + 1);
    for (std::size_t g = 0; g < levels[l].size(); ++g) {
      tier.firstMember.push_back(static_cast<std::int32_t>(tier.groupOf.size()));
      tier.groupOf.insert(tier.groupOf.end(), index(levels[l][g]), static_cast<std::int32_t>(g));
    }
    tier.firstMember.push_back(static_cast<std::int32_t>(total));
  }
  made.ranks_ = static_cast<Rank>(total);

  // From the inside: the places of a group are those of its members.
  for (int l = 0; l < made.levels(); ++l) {
    Tier& tier = made.tiers_[index(l)];
    const Rank inner = l == 0 ? 1 : made.tier(l - 1).ranksEach;
    if (tier.membersEach != 0 && inner != 0) {
      tier.ranksEach = tier.membersEach * inner;
      continue;
    }
    std::vector<Rank> first;
    for (std::int32_t g = 0; g < tier.groups; ++g) {
      const std::int32_t member = made.firstMember(l, g);
      first.push_back(l == 0 ? member : made.firstPlace(l - 1, member));
    }
    first.push_back(made.ranks_);
    std::vector<Rank> sizes(first.size());
    std::adjacent_difference(first.begin(), first.end(), sizes.begin());
    if (allEqual(std::span(sizes).subspan(1))) {
      tier.ranksEach = sizes[1];
    } else {
      tier.firstPlace = std::move(first);
    }
  }

  return made.placed(std::move(rankAt));
}

Result<Hierarchy> Hierarchy::placed(std::vector<Rank> rankAt) const {
  Hierarchy made;
  made.ranks_ = ranks_;
  made.tiers_ = tiers_;
  if (rankAt.empty()) return made;
  ATOLL_ASSIGN(std::vector<Rank> placeOf, inverseOf(rankAt, ranks_));
  if (std::ranges::is_sorted(rankAt)) return made;
  made.rankAt_ = std::move(rankAt);
  made.placeOf_ = std::move(placeOf);
  return made;
}

Hierarchy Hierarchy::flat(Rank ranks) {
  const Members all{ranks};
  return make(std::span(&all, 1)).value();
}

Hierarchy Hierarchy::fromPartings(std::vector<Rank> rankAt, std::span<const std::int8_t> parting, int levels) {
  std::vector<Members> members(index(levels), Members{0});
  for (std::size_t place = 0; place < rankAt.size(); ++place) {
    // A new group of a level is one more member of the level outside it.
    const int highest = place == 0 ? levels - 1 : parting[place - 1];
    for (int l = 0; l <= highest && place > 0; ++l) members[index(l)].push_back(0);
    for (int l = 0; l <= std::min(highest + 1, levels - 1); ++l) ++members[index(l)].back();
  }
  return make(members, std::move(rankAt)).value();
}

Hierarchy Hierarchy::fromGroups(std::span<const std::vector<std::uint32_t>> groupOf, Rank ranks) {
  const int levels = static_cast<int>(groupOf.size()) + 1;
  // From the outside: number the groups in the order of their lowest ranks. A group is what its outer group and its
  // own number make together.
  std::vector<std::vector<std::int32_t>> number(index(levels), std::vector<std::int32_t>(index(ranks), 0));
  for (int l = levels - 2; l >= 0; --l) {
    std::unordered_map<std::uint64_t, std::int32_t> known;
    for (std::size_t r = 0; r < index(ranks); ++r) {
      const auto outer = static_cast<std::uint64_t>(number[index(l + 1)][r]);
      const auto next = static_cast<std::int32_t>(known.size());
      number[index(l)][r] = known.try_emplace(outer << 32 | groupOf[index(l)][r], next).first->second;
    }
  }
  std::vector<Rank> rankAt(index(ranks));
  std::iota(rankAt.begin(), rankAt.end(), 0);
  const auto parting = [&](Rank a, Rank b) {
    int l = levels - 1;
    while (l >= 0 && number[index(l)][index(a)] == number[index(l)][index(b)]) --l;
    return l;
  };
  std::ranges::sort(rankAt, [&](Rank a, Rank b) {
    const int l = parting(a, b);
    return l < 0 ? a < b : number[index(l)][index(a)] < number[index(l)][index(b)];
  });
  std::vector<std::int8_t> partings;
  for (std::size_t place = 1; place < rankAt.size(); ++place) {
    partings.push_back(static_cast<std::int8_t>(parting(rankAt[place - 1], rankAt[place])));
  }
  return fromPartings(std::move(rankAt), partings, levels);
}

std::int32_t Hierarchy::firstMember(int level, std::int32_t group) const {
  const Tier& t = tier(level);
  return t.membersEach != 0 ? group * t.membersEach : t.firstMember[index(group)];
}

std::int32_t Hierarchy::members(int level, std::int32_t group) const {
  return firstMember(level, group + 1) - firstMember(level, group);
}

std::int32_t Hierarchy::groupsWithin(int inner, int outer, std::int32_t group) const {
  std::int32_t first = group;
  std::int32_t end = group + 1;
  for (int level = outer; level > inner; --level) {
    first = firstMember(level, first);
    end = firstMember(level, end);
  }
  return end - first;
}

std::vector<std::int32_t> Hierarchy::memberCounts(int level) const {
  if (equalMembers(level)) return {members(level, 0)};
  std::vector<std::int32_t> counts;
  for (std::int32_t group = 0; group < groups(level); ++group) counts.push_back(members(level, group));
  std::ranges::sort(counts);
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

std::int32_t Hierarchy::mostMembers(int level) const {
  return memberCounts(level).back();
}

Rank Hierarchy::firstPlace(int level, std::int32_t group) const {
  const Tier& t = tier(level);
  return t.ranksEach != 0 ? group * t.ranksEach : t.firstPlace[index(group)];
}

std::int32_t Hierarchy::groupAt(int level, Rank place) const {
  if (tier(level).ranksEach != 0) return place / tier(level).ranksEach;
  std::int32_t member = place;
  for (int l = 0; l <= level; ++l) {
    member = tier(l).membersEach != 0 ? member / tier(l).membersEach : tier(l).groupOf[index(member)];
  }
  return member;
}

std::int32_t Hierarchy::groupOf(int level, Rank rank) const {
  return groupAt(level, placeOf(rank));
}

Rank Hierarchy::indexIn(int level, Rank rank) const {
  const Rank place = placeOf(rank);
  return place - firstPlace(level, groupAt(level, place));
}

std::int32_t Hierarchy::memberOf(int level, Rank rank) const {
  if (level == 0) return indexIn(0, rank);
  const Rank place = placeOf(rank);
  return groupAt(level - 1, place) - firstMember(level, groupAt(level, place));
}

GroupRanks Hierarchy::ranksOf(int level, std::int32_t group) const {
  const Rank first = firstPlace(level, group);
  return {first, firstPlace(level, group + 1) - first, rankAt_.empty() ? nullptr : rankAt_.data()};
}

bool Hierarchy::joins(int level) const {
  return tier(level).membersEach != 1;  // where groups differ, one has more than one
}

int Hierarchy::commonLevel(Rank a, Rank b) const {
  const Rank placeA = placeOf(a);
  const Rank placeB = placeOf(b);
  int level = 0;
  while (groupAt(level, placeA) != groupAt(level, placeB)) ++level;
  return level;
}

Hierarchy Hierarchy::subset(std::span<const Rank> chosen) const {
  std::vector<Rank> rankAt(chosen.size());
  std::iota(rankAt.begin(), rankAt.end(), 0);
  std::ranges::sort(rankAt, {}, [&](Rank r) { return placeOf(chosen[index(r)]); });
  std::vector<std::int8_t> partings;
  for (std::size_t place = 1; place < rankAt.size(); ++place) {
    const int common = commonLevel(chosen[index(rankAt[place - 1])], chosen[index(rankAt[place])]);
    partings.push_back(static_cast<std::int8_t>(common - 1));
  }
  return fromPartings(std::move(rankAt), partings, levels());
}

Hierarchy::Members Hierarchy::membersAt(int level) const {
  const Tier& t = tier(level);
  if (t.membersEach != 0) return {t.membersEach};
  Members all;
  for (std::int32_t g = 0; g < t.groups; ++g) all.push_back(members(level, g));
  return all;
}

Hierarchy Hierarchy::without(int level) const {
  if (levels() == 1) return *this;
  std::vector<Members> kept;
  for (int l = 0; l < levels(); ++l) {
    if (l == level) continue;
    if (l != level + 1) {
      kept.push_back(membersAt(l));
      continue;
    }
    Members joined;
    for (std::int32_t g = 0; g < groups(l); ++g) {
      const std::int32_t first = firstMember(l, g);
      joined.push_back(firstMember(level, first + members(l, g)) - firstMember(level, first));
    }
    kept.push_back(std::move(joined));
  }
  return make(kept, rankAt_).value();
}

std::size_t Hierarchy::bytesHeld() const {
  std::size_t entries = rankAt_.capacity() + placeOf_.capacity();
  for (const Tier& t : tiers_) entries += t.groupOf.capacity() + t.firstMember.capacity() + t.firstPlace.capacity();
  return sizeof *this + tiers_.capacity() * sizeof(Tier) + entries * sizeof(std::int32_t);
}

std::uint64_t hashOf(const Hierarchy& hierarchy) {
  auto hash = static_cast<std::uint64_t>(hierarchy.levels());
  for (int level = 0; level < hierarchy.levels(); ++level) {
    hash = hashCombine(hash, hierarchy.groups(level));
    const std::int32_t distinct = hierarchy.equalMembers(level) ? 1 : hierarchy.groups(level);
    for (std::int32_t group = 0; group < distinct; ++group) hash = hashCombine(hash, hierarchy.members(level, group));
  }
  if (hierarchy.inOrder()) return hash;
  for (Rank place = 0; place < hierarchy.ranks(); ++place) hash = hashCombine(hash, hierarchy.rankAt(place));
  return hash;
}

}  // namespace atl::plan
