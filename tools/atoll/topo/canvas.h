// SPDX-License-Identifier: Apache-2.0
// SVG, written element by element.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace atl::tools {

struct Point {
  double x = 0;
  double y = 0;
};

struct Rect {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  [[nodiscard]] Point centre() const { return {x + width / 2, y + height / 2}; }
};

/// How wide a text of this size is, near enough, in the sans-serif fonts that the style names.
double widthOf(std::string_view text, double fontSize);

/// The text, cut to the width with an ellipsis.
std::string fitted(std::string_view text, double fontSize, double width);

/// Collects elements. `attributes` are written as they are: fill="#fff" class="x".
class Canvas {
 public:
  void rect(const Rect& at, double radius, std::string_view attributes);
  void line(Point from, Point to, std::string_view attributes);
  void circle(Point centre, double radius, std::string_view attributes);
  void path(std::string_view data, std::string_view attributes);
  /// `at` is the start of the base line, or what text-anchor among the attributes makes of it.
  void text(Point at, std::string_view attributes, std::string_view content);
  void open(std::string_view attributes, std::string_view title = "");  ///< a group, with what hovering shows
  void close();
  void raw(std::string_view elements) { body_ += elements; }

  /// The document, with a style sheet.
  [[nodiscard]] std::string document(double width, double height, std::string_view style) const;

 private:
  std::string body_;
};

}  // namespace atl::tools
