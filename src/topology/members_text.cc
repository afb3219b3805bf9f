// SPDX-License-Identifier: Apache-2.0
#include "src/topology/members_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace atl {
namespace {

constexpr std::size_t kLongestItem = 40;
constexpr Rank kMost = plan::Hierarchy::kMostRanks;

struct Pair {
  std::int32_t first = 0;
  std::int32_t second = 0;
};

/// Two whole numbers with a character between them, and blanks around that; nothing for any other text.
std::optional<Pair> pairIn(std::string_view text, char between) {
  Pair pair;
  const char* const end = text.data() + text.size();
  const auto skipBlanks = [&](const char* from) { return std::find_if(from, end, [](char c) { return c != ' '; }); };
  const auto first = std::from_chars(text.data(), end, pair.first);
  if (first.ec != std::errc()) return std::nullopt;
  const char* rest = skipBlanks(first.ptr);
  if (rest == end || *rest != between) return std::nullopt;
  const auto second = std::from_chars(skipBlanks(rest + 1), end, pair.second);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return pair;
}

/// The ranks dealt to the innermost islands in turn, as long as each has room.
std::vector<Rank> dealt(const plan::Hierarchy& tree) {
  std::vector<Rank> rankAt(static_cast<std::size_t>(tree.ranks()));
  Rank next = 0;
  for (Rank turn = 0; next < tree.ranks(); ++turn) {
    for (std::int32_t g = 0; g < tree.groups(0); ++g) {
      if (turn < tree.members(0, g)) rankAt[static_cast<std::size_t>(tree.firstMember(0, g) + turn)] = next++;
    }
  }
  return rankAt;
}

/// "3" or "4-7".
Result<Pair> readRun(const YamlValue& item, Rank ranks) {
  ATOLL_ASSIGN(const std::string text, item.text(kLongestItem));
  auto run = pairIn(text, '-');
  if (!run) {
    ATOLL_ASSIGN(const std::int32_t rank, item.integer(0, ranks - 1));
    return Pair{rank, rank};
  }
  if (run->first < 0 || run->second < run->first || run->second >= ranks) {
    return item.wrong(fmt::format("'{}' are not ranks from 0 to {}", text, ranks - 1));
  }
  return *run;
}

}  // namespace

Result<plan::Hierarchy::Members> readMembers(const YamlValue& value) {
  if (!value.isList()) {
    ATOLL_ASSIGN(const std::int32_t each, value.integer(1, kMost));
    return plan::Hierarchy::Members{each};
  }
  ATOLL_ASSIGN(const auto items, value.items());
  if (items.empty()) return value.wrong("an empty list; a number of members for each island is allowed");
  plan::Hierarchy::Members members;
  for (const YamlValue& item : items) {
    ATOLL_ASSIGN(const std::string text, item.text(kLongestItem));
    auto run = pairIn(text, 'x');
    if (!run) {
      ATOLL_ASSIGN(const std::int32_t count, item.integer(1, kMost));
      run = Pair{1, count};
    }
    const auto room = kMost - static_cast<std::int64_t>(members.size());
    if (run->first < 1 || run->first > room || run->second < 1 || run->second > kMost) {
      return item.wrong(
          fmt::format("'{}' is not a number of islands x a number of members, each from 1 and together "
                      "at most {}",
                      text, kMost));
    }
    members.insert(members.end(), static_cast<std::size_t>(run->first), run->second);
  }
  return members;
}

std::string membersText(const plan::Hierarchy::Members& members) {
  if (members.size() == 1) return fmt::format("{}", members.front());
  std::string text;
  for (std::size_t i = 0; i < members.size();) {
    std::size_t end = i;
    while (end < members.size() && members[end] == members[i]) ++end;
    text += text.empty() ? "[" : ", ";
    text += end - i == 1 ? fmt::format("{}", members[i]) : fmt::format("{} x {}", end - i, members[i]);
    i = end;
  }
  return text + "]";
}

Result<std::vector<Rank>> readPlacement(const YamlValue& value, const plan::Hierarchy& inOrder) {
  if (!value.isList()) {
    ATOLL_ASSIGN(const std::string text, value.text(kLongestItem));
    if (text == "by-slot") return std::vector<Rank>{};
    if (text == "by-island") return dealt(inOrder);
    return value.wrong(fmt::format("'{}' is not by-slot, by-island or a list of ranks", text));
  }
  ATOLL_ASSIGN(const auto items, value.items());
  const Rank ranks = inOrder.ranks();
  std::vector<Rank> rankAt;
  std::vector<bool> placed(static_cast<std::size_t>(ranks));
  for (const YamlValue& item : items) {
    ATOLL_ASSIGN(const Pair run, readRun(item, ranks));
    for (Rank r = run.first; r <= run.second; ++r) {
      if (placed[static_cast<std::size_t>(r)]) return item.wrong(fmt::format("rank {} is placed a second time", r));
      placed[static_cast<std::size_t>(r)] = true;
      rankAt.push_back(r);
    }
  }
  if (rankAt.size() != placed.size()) {
    return value.wrong(fmt::format("{} ranks are placed, but the levels have places for {}", rankAt.size(), ranks));
  }
  return rankAt;
}

std::string placementText(const plan::Hierarchy& hierarchy) {
  std::string text;
  for (Rank place = 0; place < hierarchy.ranks();) {
    const Rank first = hierarchy.rankAt(place);
    Rank last = first;
    while (++place < hierarchy.ranks() && hierarchy.rankAt(place) == last + 1) ++last;
    text += text.empty() ? "[" : ", ";
    text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return text + "]";
}

}  // namespace atl
