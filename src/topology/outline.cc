// SPDX-License-Identifier: Apache-2.0
#include "src/topology/outline.h"

#include <fmt/ranges.h>

#include <map>

#include "src/topology/units.h"

namespace atl {
namespace {

/// A number for each island, by level: islands of one number have the same shape all the way in.
std::vector<std::vector<std::int32_t>> shapesOf(const plan::Hierarchy& tree) {
  std::vector<std::vector<std::int32_t>> shapes;
  for (int l = 0; l < tree.levels(); ++l) {
    std::map<std::vector<std::int32_t>, std::int32_t> known;  // shapes of the members, or how many ranks there are
    std::vector<std::int32_t> numbers;
    for (std::int32_t g = 0; g < tree.groups(l); ++g) {
      std::vector<std::int32_t> key;
      if (l == 0) {
        key.push_back(tree.members(0, g));
      } else {
        const auto first = shapes.back().begin() + tree.firstMember(l, g);
        key.assign(first, first + tree.members(l, g));
      }
      const auto next = static_cast<std::int32_t>(known.size());
      numbers.push_back(known.try_emplace(std::move(key), next).first->second);
    }
    shapes.push_back(std::move(numbers));
  }
  return shapes;
}

class Outliner {
 public:
  Outliner(const plan::Hierarchy& tree, std::int32_t apart) : tree_(tree), shapes_(shapesOf(tree)), apart_(apart) {}

  [[nodiscard]] OutlineNode node(int level, std::int32_t group, std::int32_t count) const {
    OutlineNode made{level, group, count, {}};
    if (level == 0) return made;
    const auto& shapes = shapes_[static_cast<std::size_t>(level - 1)];
    const std::int32_t first = tree_.firstMember(level, group);
    const std::int32_t end = first + tree_.members(level, group);
    const bool fold = tree_.groupsWithin(0, level, group) > apart_;
    for (std::int32_t member = first; member < end;) {
      std::int32_t next = member + 1;
      while (fold && next < end && shapes[static_cast<std::size_t>(next)] == shapes[static_cast<std::size_t>(member)]) {
        ++next;
      }
      made.members.push_back(node(level - 1, member, next - member));
      member = next;
    }
    return made;
  }

 private:
  const plan::Hierarchy& tree_;
  std::vector<std::vector<std::int32_t>> shapes_;
  std::int32_t apart_;
};

std::string plural(std::int64_t count, std::string_view name) {
  return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
}

/// "8 ranks", "32 hosts"; or "7 to 9 ranks".
std::string membersText(const Topology& topology, int level) {
  const auto& tree = topology.hierarchy();
  const std::string name = level == 0 ? "rank" : topology.level(level - 1).name;
  if (tree.equalMembers(level)) return plural(tree.members(level, 0), name);
  std::int32_t least = tree.members(level, 0);
  std::int32_t most = least;
  for (std::int32_t g = 0; g < tree.groups(level); ++g) {
    least = std::min(least, tree.members(level, g));
    most = std::max(most, tree.members(level, g));
  }
  return fmt::format("{} to {}", least, plural(most, name));
}

void addTree(const Topology& topology, const OutlineNode& node, const std::string& indent, const std::string& branch,
             std::vector<std::string>& lines) {
  constexpr std::size_t kMostLines = 400;
  if (lines.size() >= kMostLines) {
    if (lines.size() == kMostLines) lines.emplace_back("…");
    return;
  }
  const auto& tree = topology.hierarchy();
  const auto ranks = tree.ranksOf(node.level, node.group);
  std::string line = branch + topology.label(node.level, node.group);
  if (node.count > 1) {
    line += fmt::format(" to {} (× {}, {} each)", topology.label(node.level, node.group + node.count - 1), node.count,
                        plural(ranks.size(), "rank"));
  } else {
    line += fmt::format(": {}", plural(ranks.size(), "rank"));
    if (node.level == 0) line += fmt::format(": {}", ranksText(ranks));
  }
  lines.push_back(std::move(line));
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    const bool last = i + 1 == node.members.size();
    addTree(topology, node.members[i], indent + (last ? "   " : "│  "), indent + (last ? "└─ " : "├─ "), lines);
  }
}

}  // namespace

OutlineNode outlineOf(const Topology& topology, std::int32_t apart) {
  return Outliner(topology.hierarchy(), apart).node(topology.hierarchy().levels() - 1, 0, 1);
}

std::string ranksText(const plan::GroupRanks& ranks) {
  constexpr int kMostRuns = 12;
  std::string text;
  int runs = 0;
  for (Rank i = 0; i < ranks.size();) {
    const Rank first = ranks[i];
    Rank last = first;
    while (++i < ranks.size() && ranks[i] == last + 1) ++last;
    if (++runs > kMostRuns) return text + ", …";
    text += text.empty() ? "" : ", ";
    text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return text;
}

std::string portsText(const Topology& topology, int number) {
  const Level& level = topology.level(number);
  const std::string per = level.ports.per == Ports::kPerRank ? "rank" : topology.level(level.ports.per).name;
  const std::string count = level.ports.count == 1 ? "" : fmt::format("{} × ", level.ports.count);
  return fmt::format("{}{} a {}", count, rateText(level.bandwidth), per);
}

std::string networkText(const Topology& topology, int number) {
  const Level& level = topology.level(number);
  std::string text(nameOf(level.kind));
  if (!level.dims.empty()) text += fmt::format(" {}", fmt::join(level.dims, " × "));
  if (level.bandwidth > 0) {
    text += ", " + portsText(topology, number);
    if (level.usable < 1) text += fmt::format(" ({:.3g} % usable)", level.usable * 100);
  } else {
    text += ", rate not known";
  }
  if (level.planes > 1) text += fmt::format(", {} planes", level.planes);
  if (level.rails > 1) text += fmt::format(", {} rails", level.rails);
  if (level.oversubscription > 1) text += fmt::format(", oversubscribed {:.3g}:1", level.oversubscription);
  if (level.latency > 0) text += fmt::format(", {}", durationText(level.latency));
  if (level.hopLatency > 0) text += fmt::format(" and {} a hop", durationText(level.hopLatency));
  if (level.switchTime > 0) text += fmt::format(", links laid anew in {}", durationText(level.switchTime));
  return text;
}

std::vector<std::string> outlineText(const Topology& topology, std::int32_t apart) {
  std::vector<std::string> lines;
  const auto& tree = topology.hierarchy();
  const std::string name = topology.name().empty() ? "" : topology.name() + ": ";
  lines.push_back(fmt::format("{}{} on {}{}", name, plural(tree.ranks(), "rank"), plural(tree.levels(), "level"),
                              tree.inOrder() ? "" : ", not in the order of their islands"));
  for (int l = tree.levels(); l-- > 0;) {
    const auto groups = tree.groups(l);
    lines.push_back(fmt::format("{}{} of {}: {}", topology.level(l).name,
                                groups == 1 ? "" : fmt::format(" (× {})", groups), membersText(topology, l),
                                networkText(topology, l)));
  }
  addTree(topology, outlineOf(topology, apart), "", "", lines);
  return lines;
}

}  // namespace atl
