// SPDX-License-Identifier: Apache-2.0
// Which islands of a topology a picture shows, how, and where. Small systems are shown whole. Of a large one the first
// island of each level is open and shows what is in it; its siblings are closed, like books on a shelf, and of many
// only some stand there.
#pragma once

#include <cstdint>
#include <vector>

#include "src/topology/topology.h"
#include "tools/atoll/topo/canvas.h"

namespace atl::tools {

// Lengths are in the SVG's user units, which are CSS pixels.
inline constexpr double kPadding = 14;   ///< between an island's border and what is in it
inline constexpr double kGap = 14;       ///< between members
inline constexpr double kHeader = 24;    ///< an island's name
inline constexpr double kBar = 22;       ///< the network that joins the members
inline constexpr double kTie = 34;       ///< links from the network to the members
inline constexpr double kSpine = 40;     ///< width of a closed island
inline constexpr double kEllipsis = 58;  ///< room for the islands that are left out
inline constexpr double kFontOfRank = 10;

/// The cells of an innermost island's ranks.
struct CellGrid {
  Rank shown = 0;  ///< the first so many of the ranks
  int columns = 1;
  double width = 0;  ///< of a cell
  double height = 0;
  double space = 0;     ///< between the cells of a row
  double rowSpace = 0;  ///< between rows
  bool numbered = false;
};

struct Box {
  enum class Form : std::uint8_t { open, closed, ellipsis };
  Form form = Form::open;
  int level = 0;
  std::int32_t group = 0;
  std::int32_t count = 1;  ///< of islands that an ellipsis stands for
  Rect at;
  std::vector<Box> members;          ///< of an open island that is not innermost
  std::vector<std::size_t> rowEnds;  ///< its members stand in rows
  CellGrid cells;                    ///< of an open innermost island
};

/// What there is to be room for: more than the ranks themselves, links between them below their cells.
enum class Room : std::uint8_t { ranks, links };

/// The outermost island with everything in it, its top left corner at the origin.
Box layOut(const Topology& topology, Room room = Room::ranks);

}  // namespace atl::tools
