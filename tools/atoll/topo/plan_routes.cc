// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/plan_routes.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "tools/atoll/topo/layout.h"

namespace atl::tools {
namespace {

constexpr std::int32_t kMostShares = 16;
/// Of shares, in turn; they stand out from the networks' colours and from each other with any colour vision.
constexpr std::array<const char*, 4> kShares{"#e4572e", "#5b2a86", "#00798c", "#c2185b"};

/// Half of a rank's cell, so that links end at its edge.
constexpr double kHalfCell = 11;
constexpr double kHead = 6;
constexpr double kStub = 30;

std::vector<std::string> algorithmsServing(Collective collective, Rank ranks) {
  std::vector<std::string> names;
  for (const plan::Algorithm& algorithm : plan::catalogue()) {
    if (algorithm.serves(collective, ranks, false)) names.emplace_back(algorithm.name);
  }
  return names;
}

std::vector<std::string> splitAtColons(const std::string& text) {
  std::vector<std::string> words{""};
  for (const char c : text) {
    if (c == ':') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

const char* colourOf(std::size_t share) {
  return kShares[share % kShares.size()];
}

/// The point at this distance from `from` towards `to`.
Point towards(Point from, Point to, double distance) {
  const double length = std::max(1.0, std::hypot(to.x - from.x, to.y - from.y));
  return {from.x + (to.x - from.x) * distance / length, from.y + (to.y - from.y) * distance / length};
}

class Pen {
 public:
  Pen(Canvas& canvas, std::size_t share)
      : canvas_(canvas), place_(static_cast<double>(share % kShares.size())), colour_(colourOf(share)) {}

  /// Below the cells, where nothing else is, the deeper the longer. Shares keep clear of each other.
  void link(Point from, Point to, bool bothWays) {
    if (std::abs(from.y - to.y) > 1) {
      betweenRows(from, to, bothWays);
      return;
    }
    const double side = (to.x > from.x ? 1 : -1) * aside_;
    const Point begin{from.x + side, from.y + kHalfCell};
    const Point end{to.x - side, to.y + kHalfCell + (bothWays ? 0 : kHead)};
    const double depth = 13 + 0.085 * std::abs(to.x - from.x) + 5 * place_;
    stroke(fmt::format("M{:.1f} {:.1f} C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", begin.x, begin.y, begin.x,
                       begin.y + depth, end.x, begin.y + depth, end.x, end.y),
           "");
    if (!bothWays) head({end.x, end.y + 1}, {end.x, to.y + kHalfCell});
  }

  /// To a rank that is not shown, or from one.
  void stub(Point at, bool outwards) {
    const double x = at.x + (outwards ? 1 : -1) * aside_;
    const double open = at.y + kHalfCell + kStub;
    const double edge = at.y + kHalfCell;
    stroke(fmt::format("M{:.1f} {:.1f} V{:.1f}", x, outwards ? edge : edge + kHead, open), " stroke-dasharray=\"4 3\"");
    outwards ? head({x, open}, {x, open + kHead}) : head({x, edge + kHead}, {x, edge});
  }

 private:
  /// Out of the one cell and into the other by the sides that face each other.
  void betweenRows(Point from, Point to, bool bothWays) {
    const double down = to.y > from.y ? 1 : -1;
    const double edge = down * kHalfCell;
    const Point begin{from.x + aside_, from.y + edge};
    const Point tip{to.x + aside_, to.y - edge};
    const Point end{tip.x, tip.y - (bothWays ? 0 : down * kHead)};
    const double bend = down * std::max(16.0, 0.4 * std::abs(end.y - begin.y));
    stroke(fmt::format("M{:.1f} {:.1f} C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}", begin.x, begin.y, begin.x,
                       begin.y + bend, end.x, end.y - bend, end.x, end.y),
           "");
    if (!bothWays) head(end, tip);
  }

  void stroke(const std::string& data, std::string_view more) {
    canvas_.path(data, R"(fill="none" stroke="#ffffff" stroke-width="5" stroke-opacity="0.75" stroke-linecap="round")");
    canvas_.path(data,
                 fmt::format(R"(fill="none" stroke="{}" stroke-width="2.2" stroke-linecap="round"{})", colour_, more));
  }

  void head(Point from, Point tip) {
    const Point base = towards(tip, from, kHead);
    const double x = (tip.y - base.y) * 0.55;
    const double y = (base.x - tip.x) * 0.55;
    canvas_.path(fmt::format("M{:.1f} {:.1f} L{:.1f} {:.1f} L{:.1f} {:.1f} Z", tip.x, tip.y, base.x + x, base.y + y,
                             base.x - x, base.y - y),
                 fmt::format("fill=\"{0}\" stroke=\"{0}\" stroke-width=\"1\" stroke-linejoin=\"round\"", colour_));
  }

  Canvas& canvas_;
  double place_;                                   ///< of the share among those that are told apart
  double aside_ = std::min(3 + 5 * place_, 14.0);  ///< of a cell's middle, where links begin and end
  const char* colour_;
};

void draw(Canvas& canvas, const std::vector<Routes>& shares, const std::map<Rank, Point>& at) {
  for (std::size_t share = 0; share < shares.size(); ++share) {
    Pen pen(canvas, share);
    canvas.open(fmt::format("class=\"routes\" id=\"share-{}\"", share), fmt::format("share {}", share + 1));
    for (const auto& [from, to] : shares[share]) {
      const bool bothWays = shares[share].contains({to, from});
      if (bothWays && to < from && at.contains(from) && at.contains(to)) continue;
      if (!at.contains(to)) {
        pen.stub(at.at(from), true);
      } else if (!at.contains(from)) {
        pen.stub(at.at(to), false);
      } else {
        pen.link(at.at(from), at.at(to), bothWays);
      }
    }
    canvas.close();
  }
}

void gather(const Box& box, const plan::Hierarchy& hierarchy, std::vector<Rank>& ranks) {
  if (box.form != Box::Form::open) return;
  if (box.level == 0) {
    const auto all = hierarchy.ranksOf(0, box.group);
    for (Rank i = 0; i < box.cells.shown; ++i) ranks.push_back(all[i]);
  }
  for (const Box& member : box.members) gather(member, hierarchy, ranks);
}

/// "allreduce by ring, share 1 of 2: 6 links over host, 2 over network".
std::string keyOf(const RoutesWanted& wanted, const Topology& topology, const Routes& routes, std::size_t share,
                  std::size_t shares) {
  std::string text = fmt::format("{} by {}", nameOf(wanted.collective), wanted.algorithm->name);
  if (shares > 1) text += fmt::format(", share {} of {}", share + 1, shares);
  std::vector<std::string> parts;
  for (int level = 0; level < topology.hierarchy().levels(); ++level) {
    const auto count = std::ranges::count_if(routes, [&](const auto& route) {
      const auto& [from, to] = route;
      const bool counted = to < from && routes.contains({to, from});
      return !counted && topology.hierarchy().commonLevel(from, to) == level;
    });
    if (count == 0) continue;
    parts.push_back(parts.empty()
                        ? fmt::format("{} link{} over {}", count, count == 1 ? "" : "s", topology.level(level).name)
                        : fmt::format("{} over {}", count, topology.level(level).name));
  }
  return fmt::format("{}: {}", text, fmt::join(parts, ", "));
}

}  // namespace

Result<RoutesWanted> routesWanted(const std::string& text, Rank ranks) {
  const std::vector<std::string> words = splitAtColons(text);
  if (words.size() < 2 || words.size() > 3) {
    return makeError(ErrorCode::invalidArgument, "--plan: '{}' is not of the form COLLECTIVE:ALGORITHM or …:SHARES",
                     text);
  }
  RoutesWanted wanted;
  const auto collective = collectiveNamed(words[0]);
  if (!collective || collective == Collective::pointToPoint) {
    return makeError(ErrorCode::invalidArgument, "--plan: '{}' is no collective with a plan, such as allreduce",
                     words[0]);
  }
  wanted.collective = *collective;
  wanted.algorithm = plan::algorithmNamed(words[1]);
  if (wanted.algorithm == nullptr || !wanted.algorithm->serves(*collective, ranks, false)) {
    return makeError(ErrorCode::invalidArgument, "--plan: '{}' has no plan of {} for {} ranks; these have: {}",
                     words[1], words[0], ranks, fmt::join(algorithmsServing(*collective, ranks), ", "));
  }
  if (words.size() == 3) {
    const std::string& number = words[2];
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), wanted.shares);
    if (error != std::errc() || end != number.data() + number.size() || wanted.shares < 1 ||
        wanted.shares > kMostShares) {
      return makeError(ErrorCode::invalidArgument, "--plan: '{}' is no number of shares from 1 to {}", number,
                       kMostShares);
    }
  }
  return wanted;
}

std::vector<Routes> routesOf(const RoutesWanted& wanted, const plan::Hierarchy& hierarchy,
                             const std::vector<Rank>& ranks) {
  std::vector<Routes> shares;
  for (const Rank rank : ranks) {
    plan::PlanRequest request;
    request.collective = wanted.collective;
    request.ranks = hierarchy.ranks();
    request.rank = rank;
    request.root = isRooted(wanted.collective) ? 0 : kNoRank;
    request.shares = wanted.shares;
    request.hierarchy = &hierarchy;
    const Plan plan = wanted.algorithm->generate(request);
    shares.resize(static_cast<std::size_t>(plan.shares));
    for (const Lane& lane : plan.lanes) {
      Routes& routes = shares[static_cast<std::size_t>(lane.share)];
      for (const Loop& loop : lane.loops) {
        for (std::int32_t k = 0; k < loop.repeat; ++k) {
          for (const Round& round : loop.rounds) {
            for (const Step& step : round.steps) {
              for (const Peer& peer : step.to) routes.emplace(rank, atRepetition(peer, k, plan.ranks));
              for (const Operand& operand : step.operands) {
                if (operand.isPeer()) routes.emplace(atRepetition(*operand.peer, k, plan.ranks), rank);
              }
            }
          }
        }
      }
    }
  }
  return shares;
}

void drawRoutes(DrawingOptions& options, const RoutesWanted& wanted, const Topology& topology) {
  std::vector<Rank> shown;
  gather(layOut(topology, Room::links), topology.hierarchy(), shown);
  const std::vector<Routes> shares = routesOf(wanted, topology.hierarchy(), shown);
  for (std::size_t share = 0; share < shares.size(); ++share) {
    options.keys.push_back({colourOf(share), keyOf(wanted, topology, shares[share], share, shares.size())});
  }
  options.room = Room::links;
  options.overlay = [shares](Canvas& canvas, const std::map<Rank, Point>& at) { draw(canvas, shares, at); };
}

}  // namespace atl::tools
