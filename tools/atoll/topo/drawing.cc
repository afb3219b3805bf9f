// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/drawing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "src/topology/outline.h"
#include "src/topology/units.h"
#include "tools/atoll/topo/glyphs.h"
#include "tools/atoll/topo/layout.h"

namespace atl::tools {
namespace {

constexpr double kMargin = 32;
constexpr double kTitleHeight = 66;
constexpr double kLegendRow = 24;
constexpr double kBelow = 34;  ///< for long links of the overlay, which pass under the islands
constexpr double kBarFont = 11;
constexpr double kLegendFont = 12.5;
constexpr double kNoteFont = 11;
constexpr double kNoteRow = 18;

/// Networks, inner to outer; told apart with any colour vision.
constexpr std::array<const char*, 6> kNetworks{"#b97a16", "#2563a8", "#0f7f78", "#7a4fa3", "#b3445c", "#4d5b69"};
/// Water around the islands, from the outermost level inwards, and the sand of the innermost.
constexpr std::array<const char*, 4> kWaters{"#d3e6f1", "#e0eef6", "#ebf4f9", "#f5fafc"};
constexpr const char* kSand = "#fdf6e4";

constexpr const char* kStyle =
    R"(text { font-family: "Inter", "Helvetica Neue", Arial, "Liberation Sans", "DejaVu Sans", sans-serif; fill: #1d2733; }
.title { font-size: 22px; font-weight: 600; }
.sub { font-size: 13px; fill: #5b6773; }
.name { font-size: 12px; font-weight: 600; fill: #33424f; }
.closed { font-size: 12px; font-weight: 600; fill: #4a5a68; }
.few { font-size: 11px; fill: #6b7884; }
.bar { font-size: 11px; font-weight: 600; fill: #ffffff; }
.rate { font-size: 10.5px; font-weight: 600; }
.rank { font-size: 10px; fill: #ffffff; text-anchor: middle; }
.legend { font-size: 12.5px; fill: #33424f; }
.strong { font-weight: 600; }
.cell { fill: #2b9a7b; }
.glyph { stroke: #ffffff; stroke-width: 1.1; fill: none; }
)";

const char* networkColour(int level) {
  return kNetworks[static_cast<std::size_t>(level) % kNetworks.size()];
}

/// Thicker for faster: a step for each factor of ten.
double thicknessOf(double rate) {
  return rate <= 0 ? 1.5 : std::clamp(1.5 + 1.5 * std::log10(rate / 1e8), 1.2, 8.0);
}

/// "24,576".
std::string countText(std::int64_t count) {
  const std::string digits = fmt::format("{}", count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

class Painter {
 public:
  Painter(const Topology& topology, const DrawingOptions& options) : topology_(topology), options_(options) {}

  std::string run() {
    Box box = layOut(topology_, options_.room);
    const double legendWidth = legendTextWidth() + 40;
    const double titleWidth = widthOf(title(), 22);
    double inner = std::max({box.at.width, legendWidth, titleWidth, 360.0});
    for (const DrawingKey& key : options_.keys) inner = std::max(inner, widthOf(key.text, kLegendFont) + 34);
    for (const std::string& note : options_.notes) inner = std::max(inner, widthOf(note, kNoteFont));
    const Point shift{kMargin, kMargin + kTitleHeight};
    const double width = inner + 2 * kMargin;
    const double legendTop = shift.y + box.at.height + 26 + (options_.overlay ? kBelow : 0);
    const double keysTop = legendTop + kLegendRow * tree().levels();
    const double notesTop = keysTop + kLegendRow * static_cast<double>(options_.keys.size()) + 8;
    const double height = notesTop + kNoteRow * static_cast<double>(options_.notes.size()) + kMargin - 16;
    move(box, shift);

    canvas_.rect({0, 0, width, height}, 0, "fill=\"#ffffff\"");
    canvas_.text({kMargin, kMargin + 20}, "class=\"title\"", title());
    canvas_.text({kMargin, kMargin + 42}, "class=\"sub\"", subtitle());
    island(box);
    legend(legendTop);
    keys(keysTop);
    for (std::size_t i = 0; i < options_.notes.size(); ++i) {
      canvas_.text({kMargin, notesTop + kNoteRow * static_cast<double>(i)}, "class=\"few\"", options_.notes[i]);
    }
    canvas_.open("id=\"overlay\"");
    if (options_.overlay) options_.overlay(canvas_, rankAt_);
    canvas_.close();
    return canvas_.document(width, height, kStyle);
  }

 private:
  [[nodiscard]] const plan::Hierarchy& tree() const { return topology_.hierarchy(); }

  static void move(Box& box, Point by) {
    box.at.x += by.x;
    box.at.y += by.y;
    for (Box& member : box.members) move(member, by);
  }

  [[nodiscard]] std::string title() const {
    return topology_.name().empty() ? topology_.label(tree().levels() - 1, 0) : topology_.name();
  }
  [[nodiscard]] std::string rankCount(Rank ranks) const {
    return fmt::format("{} {}{}", countText(ranks), options_.rankName, ranks == 1 ? "" : "s");
  }
  [[nodiscard]] std::string subtitle() const {
    std::string text = rankCount(tree().ranks());
    for (int l = 0; l + 1 < tree().levels(); ++l) {
      const auto groups = tree().groups(l);
      text += fmt::format(" · {} {}{}", countText(groups), topology_.level(l).name, groups == 1 ? "" : "s");
    }
    return text;
  }

  void island(const Box& box) {
    const bool sand = box.level == 0;
    const auto depth = static_cast<std::size_t>(tree().levels() - 1 - box.level);
    const char* const fill = sand ? kSand : kWaters[std::min(depth, kWaters.size() - 1)];
    const Rank ranks = tree().ranksOf(box.level, box.group).size();
    canvas_.open("", fmt::format("{}: {}", topology_.label(box.level, box.group), rankCount(ranks)));
    canvas_.rect(box.at, sand ? 12 : 16,
                 fmt::format("fill=\"{}\" stroke=\"{}\" stroke-width=\"1.2\"", fill, sand ? "#e0c98d" : "#a9c6d8"));
    const double room = box.at.width - 2 * kPadding;
    const std::string name = topology_.label(box.level, box.group);
    canvas_.text({box.at.x + kPadding, box.at.y + 17}, "class=\"name\"", fitted(name, 12.5, room));
    const std::string few = rankCount(ranks);
    if (widthOf(name, 12.5) + widthOf(few, 11) + 16 < room) {
      canvas_.text({box.at.x + box.at.width - kPadding, box.at.y + 17}, "class=\"few\" text-anchor=\"end\"", few);
    }
    canvas_.close();
    if (sand) {
      cells(box);
    } else {
      members(box);
    }
  }

  /// The network of an island. Its planes lie behind one another; its rails divide it.
  void bar(const Box& box, const Rect& at) {
    const Level& level = topology_.level(box.level);
    const char* const colour = networkColour(box.level);
    for (int behind = std::min(level.planes - 1, 2); behind > 0; --behind) {
      canvas_.rect({at.x + 4.0 * behind, at.y + 3.0 * behind, at.width - 8.0 * behind, at.height}, 7,
                   fmt::format("fill=\"{}\" opacity=\"{}\"", colour, behind == 1 ? "0.55" : "0.3"));
    }
    canvas_.rect(at, 7, fmt::format("fill=\"{}\"", colour));
    for (int rail = 1; rail < std::min(level.rails, 64); ++rail) {
      const double x = at.x + at.width * rail / std::min(level.rails, 64);
      canvas_.line({x, at.y + at.height - 4}, {x, at.y + at.height}, "stroke=\"#ffffff\" stroke-opacity=\"0.8\"");
    }
    drawGlyph(canvas_, level.kind, {at.x + 14, at.y + at.height / 2}, 6.5);
    canvas_.text({at.x + 28, at.y + 15}, "class=\"bar\"", barText(box.level, at.width - 34));
  }

  /// As much of what a network is as the room allows.
  [[nodiscard]] std::string barText(int number, double room) const {
    const Level& level = topology_.level(number);
    std::vector<std::string> parts;
    if (level.bandwidth > 0)
      parts.push_back(level.ports == Ports() ? rateText(level.bandwidth) : portsText(topology_, number));
    if (level.oversubscription > 1) parts.push_back(fmt::format("{:.3g}:1", level.oversubscription));
    if (level.latency > 0) parts.push_back(durationText(level.latency));
    if (level.rails > 1) parts.push_back(fmt::format("{} rails", level.rails));
    if (level.planes > 1) parts.push_back(fmt::format("{} planes", level.planes));
    parts.insert(parts.begin() + (parts.empty() ? 0 : 1), std::string(nameOf(level.kind)));
    std::string text;
    for (const std::string& part : parts) {
      std::string longer = text.empty() ? part : text + " · " + part;
      if (widthOf(longer, kBarFont + 0.5) > room) break;
      text = std::move(longer);
    }
    return text;
  }

  void cells(const Box& box) {
    const Level& level = topology_.level(0);
    const auto ranks = tree().ranksOf(0, box.group);
    const CellGrid& grid = box.cells;
    const double width = grid.columns * (grid.width + grid.space) - grid.space;
    const Point origin{box.at.x + (box.at.width - width) / 2, box.at.y + kHeader + kBar + 12};
    const Rect network{box.at.x + kPadding, box.at.y + kHeader, box.at.width - 2 * kPadding, kBar};
    const int rows = (grid.shown + grid.columns - 1) / grid.columns;
    for (int column = 0; column < grid.columns; ++column) {
      const int inColumn = (grid.shown - column + grid.columns - 1) / grid.columns;
      const double x = origin.x + column * (grid.width + grid.space) + grid.width / 2;
      const double end = origin.y + (std::min(inColumn, rows) - 1) * (grid.height + grid.rowSpace) + grid.height / 2;
      canvas_.line({x, network.y + network.height}, {x, end},
                   fmt::format("stroke=\"{}\" stroke-width=\"{:.1f}\" opacity=\"0.65\"", networkColour(0),
                               grid.numbered ? std::min(thicknessOf(level.bandwidth), 5.0) : 1.5));
    }
    bar(box, network);
    for (Rank i = 0; i < grid.shown; ++i) {
      const Rect at{origin.x + (i % grid.columns) * (grid.width + grid.space),
                    origin.y + static_cast<double>(i / grid.columns) * (grid.height + grid.rowSpace), grid.width,
                    grid.height};
      cell(at, ranks[i], grid.numbered);
    }
    if (ranks.size() > grid.shown) {
      canvas_.text({box.at.x + box.at.width / 2, box.at.y + box.at.height - 12}, "class=\"few\" text-anchor=\"middle\"",
                   fmt::format("and {} more", rankCount(ranks.size() - grid.shown)));
    }
  }

  void cell(const Rect& at, Rank rank, bool numbered) {
    rankAt_[rank] = at.centre();
    canvas_.open(fmt::format("id=\"rank-{}\"", rank), fmt::format("{} {}", options_.rankName, rank));
    canvas_.rect(at, numbered ? 6 : 3, "class=\"cell\"");
    if (numbered) {
      canvas_.text({at.centre().x, at.centre().y + 3.6}, "class=\"rank\"", fmt::format("{}", rank));
    }
    canvas_.close();
  }

  /// Links go down from the network to the members of the first row, and from a trunk at its side to those of others.
  void members(const Box& box) {
    const Rect network{box.at.x + kPadding, box.at.y + kHeader, box.at.width - 2 * kPadding, kBar};
    const char* const colour = networkColour(box.level);
    std::size_t begin = 0;
    for (std::size_t row = 0; row < box.rowEnds.size(); ++row) {
      double from = network.y + network.height;
      if (row > 0) {
        from = box.members[begin].at.y - kTie + 10;
        const double last = box.members[box.rowEnds[row] - 1].at.centre().x;
        const double trunk = box.at.x + kPadding / 2;
        canvas_.path(fmt::format("M{:.1f} {:.1f} H{:.1f} V{:.1f} H{:.1f}", network.x + 8, network.y + kBar / 2, trunk,
                                 from, last),
                     fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"4\" stroke-linejoin=\"round\"", colour));
      }
      for (std::size_t i = begin; i < box.rowEnds[row]; ++i) {
        const bool last = i + 1 == box.rowEnds[row];
        const double end = last ? box.at.x + box.at.width : box.members[i + 1].at.centre().x - 6;
        tie(box, box.members[i], from, end);
      }
      begin = box.rowEnds[row];
    }
    bar(box, network);
    for (const Box& member : box.members) {
      switch (member.form) {
        case Box::Form::open: island(member); break;
        case Box::Form::closed: spine(member); break;
        case Box::Form::ellipsis: ellipsis(member); break;
      }
    }
  }

  /// A link, with what it carries beside it as far as there is room until `end`.
  void tie(const Box& box, const Box& member, double from, double end) {
    const double rate = topology_.uplinkRate(box.level, member.group);
    const char* const colour = networkColour(box.level);
    const double x = member.at.centre().x;
    if (member.form == Box::Form::ellipsis) {
      for (const double offset : {-12.0, 0.0, 12.0}) {
        canvas_.line({x + offset, from}, {x + offset, member.at.y - 8},
                     fmt::format("stroke=\"{}\" stroke-width=\"1.5\" opacity=\"0.5\"", colour));
      }
      return;
    }
    canvas_.line({x, from}, {x, member.at.y},
                 fmt::format("stroke=\"{}\" stroke-width=\"{:.1f}\"{}", colour, thicknessOf(rate),
                             rate > 0 ? "" : " stroke-dasharray=\"3 3\""));
    if (rate <= 0 || member.form == Box::Form::closed) return;
    const std::string label = rateText(rate);
    const double y = (from + member.at.y) / 2 + 4;
    const double beside = x + thicknessOf(rate) / 2 + 6;
    const double labelEnd = beside + widthOf(label, 10.5);
    if (labelEnd > end) return;
    canvas_.text({beside, y}, fmt::format("class=\"rate\" style=\"fill:{}\"", colour), label);
    const double ratio = topology_.level(box.level).oversubscription;
    const std::string text = fmt::format("{:.3g}:1", ratio);
    if (ratio > 1 && labelEnd + 8 + badgeWidth(text) <= end) badge({labelEnd + 8, y}, text);
  }

  static double badgeWidth(const std::string& text) { return widthOf(text, 10.5) + 12; }
  void badge(Point at, const std::string& text) {
    const double width = badgeWidth(text);
    canvas_.rect({at.x, at.y - 11, width, 15}, 7.5, "fill=\"#d9480f\"");
    canvas_.text({at.x + width / 2, at.y}, "class=\"rate\" text-anchor=\"middle\" style=\"fill:#ffffff\"", text);
  }

  void spine(const Box& box) {
    const std::string label = topology_.label(box.level, box.group);
    const std::string ranks = rankCount(tree().ranksOf(box.level, box.group).size());
    const bool sand = box.level == 0;
    const auto depth = static_cast<std::size_t>(tree().levels() - 1 - box.level);
    canvas_.open("", fmt::format("{}: {}", label, ranks));
    canvas_.rect(
        box.at, 9,
        fmt::format("fill=\"{}\" stroke=\"{}\" stroke-width=\"1.2\"",
                    sand ? kSand : kWaters[std::min(depth, kWaters.size() - 1)], sand ? "#e0c98d" : "#a9c6d8"));
    const double x = box.at.centre().x + 4;
    const double bottom = box.at.y + box.at.height - 12;
    const double room = box.at.height - 24;
    const auto upwards = [&](std::string_view style, const char* anchor, double y, const std::string& text) {
      canvas_.text(
          {x, y},
          fmt::format("class=\"{}\" text-anchor=\"{}\" transform=\"rotate(-90 {:.1f} {:.1f})\"", style, anchor, x, y),
          text);
    };
    upwards("closed", "start", bottom, fitted(label, 12.5, room));
    if (widthOf(label, 12.5) + widthOf(ranks, 11) + 14 < room) upwards("few", "end", box.at.y + 12, ranks);
    canvas_.close();
  }

  void ellipsis(const Box& box) {
    const Point centre = box.at.centre();
    for (const double offset : {-14.0, 0.0, 14.0})
      canvas_.circle({centre.x + offset, centre.y - 10}, 3, "fill=\"#7d93a3\"");
    canvas_.text({centre.x, centre.y + 16}, "class=\"closed\" text-anchor=\"middle\"",
                 fmt::format("+ {}", countText(box.count)));
  }

  [[nodiscard]] std::string legendName(int level) const {
    const auto groups = tree().groups(level);
    return groups == 1 ? topology_.level(level).name
                       : fmt::format("{} × {}", topology_.level(level).name, countText(groups));
  }
  [[nodiscard]] double legendNameWidth() const {
    double widest = 0;
    for (int l = 0; l < tree().levels(); ++l) widest = std::max(widest, widthOf(legendName(l), kLegendFont + 1));
    return widest;
  }
  [[nodiscard]] double legendTextWidth() const {
    double widest = 0;
    for (int l = 0; l < tree().levels(); ++l) {
      widest = std::max(widest, widthOf(networkText(topology_, l), kLegendFont));
    }
    return widest + legendNameWidth() + 24;
  }

  void legend(double top) {
    const double names = kMargin + 34;
    const double texts = names + legendNameWidth() + 24;
    for (int l = tree().levels(); l-- > 0;) {
      const double y = top + kLegendRow * (tree().levels() - 1 - l);
      canvas_.circle({kMargin + 11, y + 4}, 10, fmt::format("fill=\"{}\"", networkColour(l)));
      drawGlyph(canvas_, topology_.level(l).kind, {kMargin + 11, y + 4}, 6);
      canvas_.text({names, y + 8}, "class=\"legend strong\"", legendName(l));
      canvas_.text({texts, y + 8}, "class=\"legend\"", networkText(topology_, l));
    }
  }

  void keys(double top) {
    for (std::size_t i = 0; i < options_.keys.size(); ++i) {
      const double y = top + kLegendRow * static_cast<double>(i) + 4;
      canvas_.line({kMargin + 1, y}, {kMargin + 22, y},
                   fmt::format("stroke=\"{}\" stroke-width=\"3\" stroke-linecap=\"round\"", options_.keys[i].colour));
      canvas_.text({kMargin + 34, y + 4}, "class=\"legend\"", options_.keys[i].text);
    }
  }

  const Topology& topology_;
  const DrawingOptions& options_;
  Canvas canvas_;
  std::map<Rank, Point> rankAt_;
};

}  // namespace

std::string drawTopology(const Topology& topology, const DrawingOptions& options) {
  return Painter(topology, options).run();
}

}  // namespace atl::tools
