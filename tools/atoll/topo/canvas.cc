// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/canvas.h"

#include "src/base/xml.h"

namespace atl::tools {
namespace {

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;  // not the first byte of a UTF-8 character
}

}  // namespace

double widthOf(std::string_view text, double fontSize) {
  double units = 0;
  for (const char c : text) {
    if (continues(c)) continue;
    const bool narrow = std::string_view(" .,:;|ijlt'()[]1").find(c) != std::string_view::npos;
    const bool wide = std::string_view("mwMWGOQ%").find(c) != std::string_view::npos;
    units += narrow ? 0.38 : wide ? 0.95 : 0.66;
  }
  return units * fontSize;
}

std::string fitted(std::string_view text, double fontSize, double width) {
  if (widthOf(text, fontSize) <= width) return std::string(text);
  while (!text.empty() && widthOf(text, fontSize) + fontSize > width) {
    bool inside = true;
    while (inside) {  // a character at a time
      inside = continues(text.back());
      text.remove_suffix(1);
    }
  }
  while (text.ends_with(' ') || text.ends_with(',')) text.remove_suffix(1);
  return std::string(text) + "…";
}

void Canvas::rect(const Rect& at, double radius, std::string_view attributes) {
  body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"{:.1f}\" {}/>\n", at.x,
                       at.y, at.width, at.height, radius, attributes);
}

void Canvas::line(Point from, Point to, std::string_view attributes) {
  body_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", from.x, from.y, to.x,
                       to.y, attributes);
}

void Canvas::circle(Point centre, double radius, std::string_view attributes) {
  body_ +=
      fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" {}/>\n", centre.x, centre.y, radius, attributes);
}

void Canvas::path(std::string_view data, std::string_view attributes) {
  body_ += fmt::format("<path d=\"{}\" {}/>\n", data, attributes);
}

void Canvas::text(Point at, std::string_view attributes, std::string_view content) {
  body_ +=
      fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" {}>{}</text>\n", at.x, at.y, attributes, escapedForXml(content));
}

void Canvas::open(std::string_view attributes, std::string_view title) {
  body_ += fmt::format("<g {}>", attributes);
  if (!title.empty()) body_ += fmt::format("<title>{}</title>", escapedForXml(title));
  body_ += '\n';
}

void Canvas::close() {
  body_ += "</g>\n";
}

std::string Canvas::document(double width, double height, std::string_view style) const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\">\n"
      "<style>\n{2}</style>\n{3}</svg>\n",
      width, height, style, body_);
}

}  // namespace atl::tools
