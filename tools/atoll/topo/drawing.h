// SPDX-License-Identifier: Apache-2.0
// A topology as a picture: islands as nested boxes, their ranks, the networks that join them and what links carry.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "src/topology/topology.h"
#include "tools/atoll/topo/canvas.h"
#include "tools/atoll/topo/layout.h"

namespace atl::tools {

/// What a colour on top of the picture stands for.
struct DrawingKey {
  std::string colour;
  std::string text;
};

struct DrawingOptions {
  std::string rankName = "rank";   ///< what a rank stands for: "GPU", "core"
  std::vector<DrawingKey> keys;    ///< lines below the picture, of what the overlay draws
  std::vector<std::string> notes;  ///< lines below those
  Room room = Room::ranks;         ///< for what the overlay draws
  /// Draws on top, such as the links that a plan uses, given where the ranks are that the picture shows. May be empty.
  std::function<void(Canvas&, const std::map<Rank, Point>&)> overlay;
};

/// An SVG document. Every rank that is shown is an element with the id "rank-N".
std::string drawTopology(const Topology& topology, const DrawingOptions& options = {});

}  // namespace atl::tools
