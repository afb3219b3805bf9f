// SPDX-License-Identifier: Apache-2.0
// A small sign for each way in which members are joined.
#pragma once

#include "src/topology/level.h"
#include "tools/atoll/topo/canvas.h"

namespace atl::tools {

/// In white, within a circle of this radius.
void drawGlyph(Canvas& canvas, LevelKind kind, Point centre, double radius);

}  // namespace atl::tools
