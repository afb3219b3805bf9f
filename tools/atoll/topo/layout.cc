// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/layout.h"

#include <algorithm>
#include <cmath>

#include "src/topology/units.h"

namespace atl::tools {
namespace {

constexpr std::int64_t kMostOpen = 16;    ///< innermost islands of a subtree that is shown whole
constexpr std::int64_t kMostCells = 192;  ///< ranks of such a subtree, unless it is one island
constexpr std::int32_t kMostSpines = 7;   ///< closed siblings that all stand there
constexpr Rank kMostNumbered = 32;        ///< ranks of an island whose cells bear their numbers
constexpr double kLeastWidth = 96;
constexpr double kGlyph = 36;             ///< the sign of a network, and space around it
constexpr double kLeastOuterWidth = 420;  ///< of an island with members: room for what its network is
constexpr double kRowWidth = 1180;        ///< where a row of open members ends

class Layout {
 public:
  Layout(const Topology& topology, Room room) : tree_(topology.hierarchy()), room_(room) {
    const Level& level = topology.level(0);
    const std::string first = level.bandwidth > 0 ? rateText(level.bandwidth)
                              : level.latency > 0 ? durationText(level.latency)
                                                  : std::string(nameOf(level.kind));
    leastBar_ = kGlyph + widthOf(first, 11.5);
  }

  [[nodiscard]] Box open(int level, std::int32_t group) const {
    Box box{Box::Form::open, level, group, 1, {}, {}, {}, {}};
    if (level == 0) {
      fillWithCells(box);
    } else {
      chooseMembers(box);
      placeMembers(box);
    }
    return box;
  }

 private:
  void fillWithCells(Box& box) const {
    const auto ranks = tree_.ranksOf(0, box.group);
    CellGrid& cells = box.cells;
    const bool links = room_ == Room::links;
    cells.shown = std::min<Rank>(ranks.size(), links ? 96 : 288);
    cells.numbered = links || ranks.size() <= kMostNumbered;
    Rank most = 0;
    for (Rank i = 0; i < cells.shown; ++i) most = std::max(most, ranks[i]);
    if (cells.numbered) {
      cells.width = std::max(26.0, widthOf(fmt::format("{}", most), kFontOfRank) + 10);
      cells.height = 22;
      cells.space = links ? 12 : 6;
    } else {
      cells.width = cells.height = 11;
      cells.space = 3;
    }
    cells.rowSpace = links ? 36 : cells.space;
    // Rather wide than high, in rows of one length where that can be.
    const int most_columns = links ? 16 : cells.numbered ? 8 : 32;
    const double wide = links ? cells.shown : std::sqrt(cells.shown * 1.8);
    int columns = std::clamp(static_cast<int>(std::ceil(wide)), 1, most_columns);
    for (int c = columns; c <= std::min(columns * 3 / 2 + 1, most_columns); ++c) {
      if (cells.shown % c == 0) {
        columns = c;
        break;
      }
    }
    cells.columns = std::min<int>(columns, std::max<Rank>(cells.shown, 1));
    const int rows = (cells.shown + cells.columns - 1) / cells.columns;
    const double width = cells.columns * (cells.width + cells.space) - cells.space;
    const double height = rows * (cells.height + cells.rowSpace) - cells.rowSpace;
    const double more = (ranks.size() > cells.shown ? 18 : 0) + (links ? 16 : 0);
    box.at.width = std::max({width + 2 * kPadding, kLeastWidth, leastBar_ + 2 * kPadding});
    box.at.height = kHeader + kBar + 12 + height + more + kPadding;
  }

  void chooseMembers(Box& box) const {
    const std::int32_t first = tree_.firstMember(box.level, box.group);
    const std::int32_t end = first + tree_.members(box.level, box.group);
    const bool whole = tree_.groupsWithin(0, box.level, box.group) <= kMostOpen &&
                       tree_.ranksOf(box.level, box.group).size() <= kMostCells;
    const auto closed = [&](std::int32_t member) {
      box.members.push_back({Box::Form::closed, box.level - 1, member, 1, {0, 0, kSpine, 0}, {}, {}, {}});
    };
    box.members.push_back(open(box.level - 1, first));
    if (whole || end - first == 1) {
      for (std::int32_t m = first + 1; m < end; ++m) box.members.push_back(open(box.level - 1, m));
    } else if (end - first - 1 <= kMostSpines) {
      for (std::int32_t m = first + 1; m < end; ++m) closed(m);
    } else {
      for (std::int32_t m = first + 1; m < first + 4; ++m) closed(m);
      box.members.push_back(
          {Box::Form::ellipsis, box.level - 1, first + 4, end - first - 5, {0, 0, kEllipsis, 0}, {}, {}, {}});
      closed(end - 1);
    }
  }

  /// So many that the rows which are needed are about equally long.
  static std::size_t membersOfARow(const std::vector<Box>& members) {
    double width = 0;
    for (const Box& member : members) width += member.at.width + kGap;
    const auto rows = static_cast<std::size_t>(std::ceil(width / kRowWidth));
    return (members.size() + rows - 1) / rows;
  }

  static void placeMembers(Box& box) {
    double x = kPadding;
    double y = kHeader + kBar + kTie;
    double rowHeight = 0;
    double width = 0;
    std::size_t rowBegin = 0;
    const std::size_t perRow = membersOfARow(box.members);
    const bool whole = std::ranges::all_of(box.members, [](const Box& m) { return m.form == Box::Form::open; });
    const auto endRow = [&](std::size_t end) {
      for (std::size_t i = rowBegin; i < end; ++i) {
        if (box.members[i].form != Box::Form::open) box.members[i].at.height = std::max(rowHeight, 150.0);
      }
      rowHeight = std::max(rowHeight, box.members[rowBegin].at.height);
      box.rowEnds.push_back(end);
      rowBegin = end;
    };
    for (std::size_t i = 0; i < box.members.size(); ++i) {
      Box& member = box.members[i];
      const bool full = x + member.at.width > kRowWidth || (whole && i - rowBegin == perRow);
      if (i > rowBegin && full && member.form == Box::Form::open) {
        endRow(i);
        y += rowHeight + kTie;
        x = kPadding;
        rowHeight = 0;
      }
      member.at.x = x;
      member.at.y = y;
      x += member.at.width + kGap;
      width = std::max(width, x - kGap + kPadding);
      if (member.form == Box::Form::open) rowHeight = std::max(rowHeight, member.at.height);
    }
    endRow(box.members.size());
    for (const Box& member : box.members) rowHeight = std::max(rowHeight, member.at.y + member.at.height - y);
    const double spare = std::max(0.0, kLeastOuterWidth - width);
    if (box.rowEnds.size() == 1) {
      for (Box& member : box.members) member.at.x += spare / 2;
    }
    box.at.width = width + spare;
    box.at.height = y + rowHeight + kPadding;
  }

  const plan::Hierarchy& tree_;
  Room room_;
  double leastBar_ = 0;  ///< room for what an innermost network gives, at least
};

void moveTo(Box& box, double x, double y) {
  box.at.x += x;
  box.at.y += y;
  for (Box& member : box.members) moveTo(member, box.at.x, box.at.y);
}

}  // namespace

Box layOut(const Topology& topology, Room room) {
  Box box = Layout(topology, room).open(topology.hierarchy().levels() - 1, 0);
  moveTo(box, 0, 0);
  return box;
}

}  // namespace atl::tools
