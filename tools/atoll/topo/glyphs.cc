// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/glyphs.h"

#include <cmath>
#include <numbers>
#include <vector>

namespace atl::tools {
namespace {

constexpr const char* kStroke = "class=\"glyph\"";
constexpr const char* kDot = "fill=\"#ffffff\"";

std::vector<Point> corners(Point centre, double radius, int count) {
  std::vector<Point> points;
  for (int i = 0; i < count; ++i) {
    const double angle = 2 * std::numbers::pi * i / count - std::numbers::pi / 2;
    points.push_back({centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)});
  }
  return points;
}

void lines(Canvas& canvas, const std::vector<Point>& from, const std::vector<Point>& to) {
  for (const Point& a : from) {
    for (const Point& b : to) canvas.line(a, b, kStroke);
  }
}

void dots(Canvas& canvas, const std::vector<Point>& points) {
  for (const Point& p : points) canvas.circle(p, 1.4, kDot);
}

void grid(Canvas& canvas, Point c, double r, bool closed) {
  for (const double offset : {-r / 2, r / 2}) {
    canvas.line({c.x - r, c.y + offset}, {c.x + r, c.y + offset}, kStroke);
    canvas.line({c.x + offset, c.y - r}, {c.x + offset, c.y + r}, kStroke);
  }
  if (closed) canvas.circle(c, r, kStroke);
}

}  // namespace

void drawGlyph(Canvas& canvas, LevelKind kind, Point c, double r) {
  switch (kind) {
    case LevelKind::switched: {
      const auto leaves = corners(c, r, 4);
      lines(canvas, {c}, leaves);
      canvas.circle(c, 2, kDot);
      dots(canvas, leaves);
      return;
    }
    case LevelKind::fullMesh: {
      const auto points = corners(c, r, 5);
      lines(canvas, points, points);
      return;
    }
    case LevelKind::ring: {
      canvas.circle(c, r - 1, kStroke);
      dots(canvas, corners(c, r - 1, 5));
      return;
    }
    case LevelKind::torus: grid(canvas, c, r, true); return;
    case LevelKind::mesh: grid(canvas, c, r, false); return;
    case LevelKind::fatTree: {
      const std::vector<Point> top = {{c.x - r / 2, c.y - r + 1}, {c.x + r / 2, c.y - r + 1}};
      const std::vector<Point> bottom = {{c.x - r, c.y + r - 1}, {c.x, c.y + r - 1}, {c.x + r, c.y + r - 1}};
      lines(canvas, top, bottom);
      dots(canvas, top);
      dots(canvas, bottom);
      return;
    }
    case LevelKind::circuit: {
      for (const double way : {-1.0, 1.0}) {
        canvas.path(fmt::format("M{:.1f} {:.1f} C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", c.x - r, c.y - way * r / 2,
                                c.x, c.y - way * r / 2, c.x, c.y + way * r / 2, c.x + r, c.y + way * r / 2),
                    kStroke);
      }
      return;
    }
  }
}

}  // namespace atl::tools
