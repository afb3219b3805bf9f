// SPDX-License-Identifier: Apache-2.0
#include "src/topology/topology.h"

#include <algorithm>
#include <limits>

namespace atl {
namespace {

Status checkLevels(const plan::Hierarchy& hierarchy, std::span<const Level> levels) {
  if (levels.size() != static_cast<std::size_t>(hierarchy.levels())) {
    return makeError(ErrorCode::invalidArgument, "{} levels are described, but the tree has {}", levels.size(),
                     hierarchy.levels());
  }
  for (int l = 0; l < hierarchy.levels(); ++l) {
    auto fault = faultOf(levels, l);
    if (!fault) fault = shapeFaultOf(levels[static_cast<std::size_t>(l)], hierarchy, l);
    if (fault) return makeError(ErrorCode::invalidArgument, "level {}: {}: {}", l, fault->field, fault->text);
  }
  return success();
}

Status checkLabels(const plan::Hierarchy& hierarchy, const Topology::Labels& labels) {
  if (labels.size() > static_cast<std::size_t>(hierarchy.levels())) {
    return makeError(ErrorCode::invalidArgument, "{} levels have labels, but the tree has {}", labels.size(),
                     hierarchy.levels());
  }
  for (std::size_t l = 0; l < labels.size(); ++l) {
    const auto groups = static_cast<std::size_t>(hierarchy.groups(static_cast<int>(l)));
    if (labels[l].empty() || labels[l].size() == groups) continue;
    return makeError(ErrorCode::invalidArgument, "level {} has {} islands, but {} labels", l, groups, labels[l].size());
  }
  return success();
}

}  // namespace

Result<Topology> Topology::make(std::string name, plan::Hierarchy hierarchy, std::vector<Level> levels, Labels labels) {
  ATOLL_TRY(checkLevels(hierarchy, levels));
  ATOLL_TRY(checkLabels(hierarchy, labels));
  return Topology(std::move(name), std::move(hierarchy), std::move(levels), std::move(labels));
}

bool Topology::hasLabels(int level) const {
  return static_cast<std::size_t>(level) < labels_.size() && !labels_[static_cast<std::size_t>(level)].empty();
}

std::string Topology::label(int number, std::int32_t group) const {
  if (hasLabels(number)) return labels_[static_cast<std::size_t>(number)][static_cast<std::size_t>(group)];
  return hierarchy_.groups(number) == 1 ? level(number).name : fmt::format("{} {}", level(number).name, group);
}

std::int64_t Topology::portsOf(int number, std::int32_t member) const {
  const Ports& ports = level(number).ports;
  if (number == 0) return ports.count;
  return ports.count * (ports.per == Ports::kPerRank ? hierarchy_.ranksOf(number - 1, member).size()
                                                     : hierarchy_.groupsWithin(ports.per, number - 1, member));
}

double Topology::portRate(int number) const {
  return level(number).bandwidth * level(number).usable;
}

double Topology::uplinkRate(int number, std::int32_t member) const {
  return static_cast<double>(portsOf(number, member)) * portRate(number) / level(number).oversubscription;
}

std::vector<double> Topology::uplinkRates(int number) const {
  const int per = level(number).ports.per;
  const bool alike =
      number == 0 || (hierarchy_.equalRanks(number - 1) && (per == Ports::kPerRank || hierarchy_.equalRanks(per)));
  const std::int32_t members = alike ? 1 : hierarchy_.groups(number - 1);
  std::vector<double> rates;
  for (std::int32_t m = 0; m < members; ++m) rates.push_back(uplinkRate(number, m));
  return rates;
}

double Topology::rateOfEach(int number) const {
  if (number == 0) return uplinkRate(0, 0);
  double least = std::numeric_limits<double>::infinity();
  std::int32_t member = 0;
  for (const double rate : uplinkRates(number)) {
    least = std::min(least, rate / hierarchy_.ranksOf(number - 1, member++).size());
  }
  return least;
}

double Topology::latency(Rank a, Rank b) const {
  if (a == b) return 0;
  const int number = hierarchy_.commonLevel(a, b);
  const Level& joining = level(number);
  if (joining.hopLatency == 0) return joining.latency;
  const std::int32_t members = hierarchy_.members(number, hierarchy_.groupOf(number, a));
  const std::int32_t hops =
      hopsBetween(joining, members, hierarchy_.memberOf(number, a), hierarchy_.memberOf(number, b));
  return joining.latency + (hops - 1) * joining.hopLatency;
}

Topology Topology::subset(std::span<const Rank> chosen) const {
  plan::Hierarchy part = hierarchy_.subset(chosen);
  std::vector<Level> levels = levels_;
  Labels labels(labels_.size());
  for (int l = 0; l < part.levels(); ++l) {
    Level& mine = levels[static_cast<std::size_t>(l)];
    if (shapeFaultOf(mine, part, l)) mine.dims.clear();
    if (!hasLabels(l)) continue;
    for (std::int32_t g = 0; g < part.groups(l); ++g) {
      const Rank old = chosen[static_cast<std::size_t>(part.ranksOf(l, g)[0])];
      labels[static_cast<std::size_t>(l)].push_back(label(l, hierarchy_.groupOf(l, old)));
    }
  }
  return {name_, std::move(part), std::move(levels), std::move(labels)};
}

Topology Topology::describedBy(std::string name, std::span<const Level> told) const {
  Topology described = *this;
  described.name_ = std::move(name);
  const auto numberOf = [&](const Level& wanted) {
    return std::ranges::find(levels_, wanted.name, &Level::name) - levels_.begin();
  };
  for (const Level& level : told) {
    const auto number = static_cast<int>(numberOf(level));
    if (number == hierarchy_.levels()) continue;
    Level& mine = described.levels_[static_cast<std::size_t>(number)];
    mine = level;
    // The level that ports are counted for may be gone, because its islands have one member: the next further in is as
    // good.
    int per = Ports::kPerRank;
    for (int inner = level.ports.per; inner >= 0 && per == Ports::kPerRank; --inner) {
      const auto found = static_cast<int>(numberOf(told[static_cast<std::size_t>(inner)]));
      if (found < number) per = found;
    }
    mine.ports.per = per;
    if (shapeFaultOf(mine, hierarchy_, number)) mine.dims.clear();
  }
  return described;
}

Topology Topology::joiningLevels() const {
  Topology kept = *this;
  for (int l = kept.hierarchy_.levels(); l-- > 0 && kept.hierarchy_.levels() > 1;) {
    if (kept.hierarchy_.joins(l)) continue;
    const auto place = static_cast<std::ptrdiff_t>(l);
    kept.hierarchy_ = kept.hierarchy_.without(l);
    kept.levels_.erase(kept.levels_.begin() + place);
    // An island of one member has what its member has, so its label may stand for it.
    const bool named = kept.hasLabels(l);
    if (named && l > 0 && !kept.hasLabels(l - 1)) {
      std::swap(kept.labels_[static_cast<std::size_t>(l)], kept.labels_[static_cast<std::size_t>(l - 1)]);
    }
    if (place < static_cast<std::ptrdiff_t>(kept.labels_.size())) kept.labels_.erase(kept.labels_.begin() + place);
    for (Level& outer : kept.levels_) {
      if (outer.ports.per >= l) --outer.ports.per;
    }
  }
  return kept;
}

std::size_t Topology::bytesHeld() const {
  std::size_t bytes = sizeof *this - sizeof hierarchy_ + hierarchy_.bytesHeld() + levels_.capacity() * sizeof(Level);
  for (const auto& names : labels_) bytes += names.capacity() * sizeof(std::string);
  return bytes;
}

}  // namespace atl
