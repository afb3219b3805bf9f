// SPDX-License-Identifier: Apache-2.0
// The family as a space-time diagram.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "src/base/xml.h"
#include "src/plan/serialize.h"
#include "src/plan/space_time.h"

namespace atl::plan {
namespace {

constexpr std::int32_t kMaxRounds = 64;
constexpr std::int32_t kMaxColumns = 40;
constexpr std::size_t kMaxStack = 4;  ///< combines drawn one by one in a cell; more are drawn as one

// All lengths are in the SVG's user units, which are CSS pixels.
constexpr double kMargin = 28;
constexpr double kTitleHeight = 62;
constexpr double kHeaderHeight = 26;
constexpr double kRankLabelWidth = 66;
constexpr double kLaneLabelWidth = 46;
constexpr double kBoxHeight = 20;
constexpr double kBoxGap = 5;
constexpr double kRowPadding = 9;
constexpr double kDotInset = 12;
constexpr double kCharWidth = 6.7;
constexpr double kLegendHeight = 58;

/// Colours of lanes that are told apart with any colour vision.
constexpr std::array<const char*, 8> kLaneColours{"#2563a8", "#c2570c", "#0f8a6a", "#a8508f",
                                                  "#8a6d00", "#4b4fa6", "#b3362b", "#3d7d8c"};
const char* colourOf(std::int32_t lane) {
  return kLaneColours[static_cast<std::size_t>(lane) % kLaneColours.size()];
}

constexpr const char* kStyle = R"(<style>
text { font-family: "Inter", "Helvetica Neue", Arial, "Liberation Sans", "DejaVu Sans", sans-serif; fill: #1d2733; }
.title { font-size: 19px; font-weight: 600; }
.sub, .legend { font-size: 12px; fill: #5b6773; }
.time { font-size: 11px; fill: #7a8590; text-anchor: middle; }
.rank { font-size: 13px; font-weight: 600; }
.lane { font-size: 11px; fill: #7a8590; }
.chunk { font-size: 11px; text-anchor: middle; }
.track { stroke: #c9d1d9; stroke-width: 1; }
.arrow { fill: none; stroke-width: 1.5; }
</style>
)";

/// A box: one combine, or several of a crowded cell.
struct Box {
  const CombineEvent* combine = nullptr;  ///< the first
  std::size_t count = 1;
  std::string label;
  double x = 0, y = 0;  ///< top left
};

class Drawing {
 public:
  Drawing(std::span<const Plan> plans, Rank maxRanks)
      : first_(plans.front()), ranks_(std::min(first_.ranks, maxRanks)), events_(unroll(plans, kMaxRounds)) {
    for (const Plan& plan : plans.subspan(0, static_cast<std::size_t>(ranks_))) {
      lanes_ = std::max(lanes_, static_cast<std::int32_t>(plan.lanes.size()));
    }
    columns_ = std::clamp(events_.columns, 1, kMaxColumns);
    oneCut_ = std::all_of(events_.combines.begin(), events_.combines.end(),
                          [&](const CombineEvent& c) { return c.chunk.parts == events_.combines.front().chunk.parts; });
  }

  std::string run() {
    gatherBoxes();
    layOut();
    const double gridBottom = kMargin + kTitleHeight + kHeaderHeight + gridHeight_;
    const double width = std::max(gridLeft_ + columns_ * columnWidth_ + kMargin, kLeastWidth);
    const double height = gridBottom + kLegendHeight + kMargin;
    svg_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
        "height=\"{1:.0f}\">\n{2}",
        width, height, kStyle);
    arrowHeads();
    svg_ += fmt::format("<rect width=\"{:.0f}\" height=\"{:.0f}\" fill=\"#ffffff\"/>\n", width, height);
    title();
    grid();
    for (const MessageEvent& message : events_.messages) arrow(message);
    for (const auto& [cell, boxes] : cells_) {
      for (const Box& box : boxes) draw(box);
    }
    legend(gridBottom);
    svg_ += "</svg>\n";
    return std::move(svg_);
  }

 private:
  static constexpr double kLeastWidth = 760;
  using Cell = std::tuple<Rank, std::int32_t, std::int32_t>;  // rank, lane, column

  [[nodiscard]] bool isDrawn(const Where& where, std::int32_t column) const {
    return where.rank < ranks_ && column < columns_;
  }

  [[nodiscard]] std::string partOf(const Chunk& chunk) const {
    std::string text;
    if (chunk.span == chunk.parts) {
      text = "all";
    } else {
      text = fmt::format("{}", chunk.index);
      if (chunk.span > 1) text += fmt::format("–{}", std::int64_t{chunk.index} + chunk.span - 1);
      if (!oneCut_) text += fmt::format("/{}", chunk.parts);
    }
    return chunk.buffer == Buffer::scratch ? fmt::format("s{}: {}", chunk.slot, text) : text;
  }

  [[nodiscard]] std::string labelOf(const CombineEvent& combine) const {
    switch (combine.action) {
      case Action::reduce:
      case Action::receiveReduce: return "Σ " + partOf(combine.chunk);
      case Action::copy: return "= " + partOf(combine.chunk);
      default: return partOf(combine.chunk);
    }
  }

  void gatherBoxes() {
    for (const CombineEvent& combine : events_.combines) {
      if (!isDrawn(combine.where, combine.column)) continue;
      cells_[{combine.where.rank, combine.where.lane, combine.column}].push_back({&combine, 1, labelOf(combine), 0, 0});
    }
    for (auto& [cell, boxes] : cells_) {
      if (boxes.size() <= kMaxStack) continue;
      Box together = boxes.front();
      together.count = boxes.size();
      together.label = fmt::format("{} parts", boxes.size());
      boxes = {together};
    }
  }

  void layOut() {
    std::size_t longest = 3;
    std::map<std::pair<Rank, std::int32_t>, std::size_t> stacks;
    for (const auto& [cell, boxes] : cells_) {
      std::size_t& stack = stacks[{std::get<0>(cell), std::get<1>(cell)}];
      stack = std::max(stack, boxes.size());
      for (const Box& box : boxes) longest = std::max(longest, glyphs(box.label));
    }
    boxWidth_ = static_cast<double>(longest) * kCharWidth + 14;
    arrowWidth_ = std::min(44.0 + 4.0 * ranks_, 110.0);
    columnWidth_ = kDotInset + arrowWidth_ + boxWidth_ + 14;
    gridLeft_ = kMargin + kRankLabelWidth + (lanes_ > 1 ? kLaneLabelWidth : 0);

    double y = kMargin + kTitleHeight + kHeaderHeight;
    for (Rank r = 0; r < ranks_; ++r) {
      for (std::int32_t l = 0; l < lanes_; ++l) {
        const auto stack = static_cast<double>(std::max<std::size_t>(stacks[{r, l}], 1));
        const double height = stack * (kBoxHeight + kBoxGap) - kBoxGap + 2 * kRowPadding;
        trackTop_[{r, l}] = y;
        trackMiddle_[{r, l}] = y + height / 2;
        y += height;
      }
      rankBottom_[r] = y;
    }
    gridHeight_ = y - (kMargin + kTitleHeight + kHeaderHeight);
    for (auto& [cell, boxes] : cells_) {
      const auto& [rank, lane, column] = cell;
      const auto stack = static_cast<double>(boxes.size());
      double top = trackMiddle_[{rank, lane}] - (stack * (kBoxHeight + kBoxGap) - kBoxGap) / 2;
      for (Box& box : boxes) {
        box.x = columnLeft(column) + kDotInset + arrowWidth_;
        box.y = top;
        top += kBoxHeight + kBoxGap;
        boxOf_[box.combine] = {box.x, box.y + kBoxHeight / 2};
      }
    }
    // The combines that share a box point at it, too.
    for (const CombineEvent& combine : events_.combines) {
      if (!isDrawn(combine.where, combine.column) || boxOf_.count(&combine) == 1) continue;
      boxOf_[&combine] = boxOf_[cells_[{combine.where.rank, combine.where.lane, combine.column}].front().combine];
    }
  }

  /// Characters as seen: bytes that do not continue a UTF-8 sequence.
  static std::size_t glyphs(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
  }

  [[nodiscard]] double columnLeft(std::int32_t column) const { return gridLeft_ + column * columnWidth_; }

  void text(std::string_view kind, double x, double y, std::string_view content) {
    svg_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", kind, x, y, escapedForXml(content));
  }

  void arrowHeads() {
    svg_ += "<defs>\n";
    for (std::size_t i = 0; i < std::min(kLaneColours.size(), static_cast<std::size_t>(lanes_)); ++i) {
      svg_ += fmt::format(
          "<marker id=\"head{}\" viewBox=\"0 0 8 8\" refX=\"7.4\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
          "markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0 0.6 L8 4 L0 7.4 z\" fill=\"{}\"/></marker>\n",
          i, kLaneColours[i]);
    }
    svg_ += "</defs>\n";
  }

  void title() {
    std::string name = fmt::format("{} · {} · {} rank{}", atl::nameOf(first_.collective), first_.algorithm,
                                   first_.ranks, first_.ranks == 1 ? "" : "s");
    if (first_.root != kNoRank) name += fmt::format(" · root {}", first_.root);
    text("title", kMargin, kMargin + 18, name);

    std::string notes = "One column is one message latency.";
    if (!events_.combines.empty() && oneCut_ && events_.combines.front().chunk.parts > 1) {
      notes += fmt::format(" Numbers are parts of {}.", events_.combines.front().chunk.parts);
    }
    if (first_.shares > 1) notes += fmt::format(" Lanes move their own of {} shares of every part.", first_.shares);
    if (ranks_ < first_.ranks) notes += fmt::format(" Only ranks 0 to {} are drawn.", ranks_ - 1);
    if (!events_.complete || events_.columns > columns_) {
      notes += fmt::format(" Only the first {} columns are drawn.", columns_);
    }
    text("sub", kMargin, kMargin + 40, notes);
  }

  void grid() {
    const double top = kMargin + kTitleHeight + kHeaderHeight;
    for (std::int32_t c = 0; c < columns_; ++c) {
      if (c % 2 == 0) {
        svg_ += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"4\" fill=\"#f3f6f9\"/>\n",
            columnLeft(c), top - kHeaderHeight, columnWidth_, gridHeight_ + kHeaderHeight);
      }
      text("time", columnLeft(c) + columnWidth_ / 2, top - 9, fmt::format("{}", c));
    }
    const double right = columnLeft(columns_);
    for (Rank r = 0; r < ranks_; ++r) {
      const double upper = trackTop_[{r, 0}];
      text("rank", kMargin, (upper + rankBottom_[r]) / 2 + 4.5, fmt::format("rank {}", r));
      for (std::int32_t l = 0; l < lanes_; ++l) {
        const double y = trackMiddle_[{r, l}];
        if (lanes_ > 1) text("lane", kMargin + kRankLabelWidth, y + 4, fmt::format("lane {}", l));
        svg_ += fmt::format("<line class=\"track\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                            gridLeft_, y, right, y);
      }
      if (lanes_ > 1 && r + 1 < ranks_) {
        svg_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#dfe5ea\"/>\n",
                            kMargin, rankBottom_[r], right, rankBottom_[r]);
      }
    }
  }

  void arrow(const MessageEvent& message) {
    if (!isDrawn(message.where, message.column)) return;
    const std::int32_t lane = message.where.lane;
    const double x0 = columnLeft(message.column) + kDotInset;
    const double y0 = trackMiddle_[{message.where.rank, lane}];
    const CombineEvent* combine = message.combine ? &events_.combines[*message.combine] : nullptr;
    const auto target = combine ? boxOf_.find(combine) : boxOf_.end();
    const std::string what = escapedForXml(
        fmt::format("{}: sends {} to rank {}", describe(message.where), describe(message.chunk), message.to));
    if (target == boxOf_.end()) {
      // The other end is not drawn: a stub towards it.
      const double y1 = y0 + (message.to > message.where.rank ? 1 : -1) * (kBoxHeight / 2 + 2);
      svg_ += fmt::format(
          "<path class=\"arrow\" d=\"M{:.1f} {:.1f} L{:.1f} {:.1f}\" stroke=\"{}\" stroke-dasharray=\"2 "
          "3\"><title>{}</title></path>\n",
          x0, y0, x0 + arrowWidth_ / 3, y1, colourOf(lane), what);
    } else {
      const auto [x1, y1] = target->second;
      const double bend = std::min((x1 - x0) * 0.5, 60.0);
      svg_ += fmt::format(
          "<path class=\"arrow\" d=\"M{:.1f} {:.1f} C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}\" stroke=\"{}\" "
          "stroke-opacity=\"{}\" marker-end=\"url(#head{})\"><title>{}</title></path>\n",
          x0, y0, x0 + bend, y0, x1 - bend, y1, x1, y1, colourOf(lane), isFar(message) ? "0.45" : "0.85",
          static_cast<std::size_t>(lane) % kLaneColours.size(), what);
    }
    svg_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.2\" fill=\"{}\"/>\n", x0, y0, colourOf(lane));
  }

  /// Arrows over many tracks are paler: they cross what is more important.
  static bool isFar(const MessageEvent& message) {
    constexpr Rank kNear = 2;
    const Rank distance = message.to - message.where.rank;
    return distance > kNear || distance < -kNear;
  }

  void rectangle(double x, double y, double width, const char* colour, Action action, bool scratch, bool finish) {
    const bool reduces = action == Action::reduce || action == Action::receiveReduce;
    const char* fill = reduces ? colour : "#ffffff";
    if (finish) {
      svg_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"7\" fill=\"none\" "
          "stroke=\"#1d2733\" "
          "stroke-width=\"1.4\"/>\n",
          x - 2.5, y - 2.5, width + 5, kBoxHeight + 5);
    }
    const char* dashes = " stroke-dasharray=\"4 2.5\"";
    svg_ += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"5\" fill=\"{}\" stroke=\"{}\" "
        "stroke-width=\"1.3\"{}/>\n",
        x, y, width, kBoxHeight, fill, action == Action::copy ? "#8b96a1" : colour, scratch && !reduces ? dashes : "");
    if (scratch && reduces) {
      svg_ += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\" fill=\"none\" "
          "stroke=\"#ffffff\" "
          "stroke-opacity=\"0.8\"{}/>\n",
          x + 2.5, y + 2.5, width - 5, kBoxHeight - 5, dashes);
    }
  }

  void boxText(double x, double y, double width, std::string_view content, Action action) {
    const bool reduces = action == Action::reduce || action == Action::receiveReduce;
    svg_ += fmt::format("<text class=\"chunk\" x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", x + width / 2,
                        y + kBoxHeight / 2 + 4, reduces ? " style=\"fill:#ffffff;font-weight:600\"" : "",
                        escapedForXml(content));
  }

  void draw(const Box& box) {
    const CombineEvent& combine = *box.combine;
    svg_ += fmt::format(
        "<g><title>{}</title>\n",
        escapedForXml(box.count == 1 ? fmt::format("{}: {} {}{}", describe(combine.where), nameOf(combine.action),
                                                   describe(combine.chunk), combine.finish ? ", finishes" : "")
                                     : fmt::format("{} combines, the first: {}", box.count, describe(combine.where))));
    rectangle(box.x, box.y, boxWidth_, colourOf(combine.where.lane), combine.action,
              combine.chunk.buffer == Buffer::scratch, combine.finish);
    boxText(box.x, box.y, boxWidth_, box.label, combine.action);
    svg_ += "</g>\n";
  }

  void legend(double top) {
    const double y = top + 20;
    double x = kMargin;
    const auto sample = [&](Action action, bool scratch, bool finish, std::string_view label,
                            std::string_view meaning) {
      constexpr double kWidth = 40;
      rectangle(x, y, kWidth, colourOf(0), action, scratch, finish);
      boxText(x, y, kWidth, label, action);
      text("legend", x + kWidth + 8, y + 14, meaning);
      x += kWidth + 8 + static_cast<double>(meaning.size()) * 6.1 + 18;
    };
    sample(Action::receive, false, false, "2", "receive");
    sample(Action::copy, false, false, "= 2", "copy");
    sample(Action::receiveReduce, false, false, "Σ 2", "reduce");
    sample(Action::receiveReduce, false, true, "Σ 2", "reduce and finish");
    sample(Action::receive, true, false, "s0: 2", "into scratch");
    if (lanes_ > 1) {
      x = kMargin;
      for (std::int32_t l = 0; l < std::min<std::int32_t>(lanes_, kLaneColours.size()); ++l) {
        svg_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"18\" height=\"4\" rx=\"2\" fill=\"{}\"/>\n", x,
                            y + 36, colourOf(l));
        const std::string name =
            shareOf(l) ? fmt::format("lane {}, share {}", l, *shareOf(l)) : fmt::format("lane {}", l);
        text("legend", x + 25, y + 42, name);
        x += 25 + static_cast<double>(name.size()) * 6.1 + 18;
      }
    }
  }

  /// A lane's share, where there are several.
  [[nodiscard]] std::optional<std::int32_t> shareOf(std::int32_t lane) const {
    if (first_.shares == 1 || static_cast<std::size_t>(lane) >= first_.lanes.size()) return std::nullopt;
    return first_.lanes[static_cast<std::size_t>(lane)].share;
  }

  const Plan& first_;
  Rank ranks_;
  SpaceTime events_;
  std::int32_t lanes_ = 1;
  std::int32_t columns_ = 1;
  bool oneCut_ = true;
  std::map<Cell, std::vector<Box>> cells_;
  std::map<const CombineEvent*, std::pair<double, double>> boxOf_;  ///< where arrows into it end
  std::map<std::pair<Rank, std::int32_t>, double> trackTop_, trackMiddle_;
  std::map<Rank, double> rankBottom_;
  double boxWidth_ = 0, arrowWidth_ = 0, columnWidth_ = 0, gridLeft_ = 0, gridHeight_ = 0;
  std::string svg_;
};

}  // namespace

std::string toSvg(std::span<const Plan> plans, Rank maxRanks) {
  if (plans.empty()) return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>\n";
  return Drawing(plans, std::max(maxRanks, 1)).run();
}

}  // namespace atl::plan
