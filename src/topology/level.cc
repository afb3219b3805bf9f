// SPDX-License-Identifier: Apache-2.0
#include "src/topology/level.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace atl {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kMostDims = 6;
constexpr std::int32_t kMostPorts = 4096;
constexpr double kMostOversubscription = 1e6;

bool isGrid(LevelKind kind) {
  return kind == LevelKind::torus || kind == LevelKind::mesh;
}

bool isName(std::string_view name) {
  const auto printable = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != '/' && c != 127; };
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, printable);
}

template <class... Args>
LevelFault fault(std::string_view field, fmt::format_string<Args...> format, Args&&... args) {
  return {field, fmt::format(format, std::forward<Args>(args)...)};
}

std::optional<LevelFault> rangeFaultOf(const Level& level) {
  const auto amount = [](double value) { return std::isfinite(value) && value >= 0; };
  if (!amount(level.bandwidth)) return fault("bandwidth", "{} is not a rate", level.bandwidth);
  if (!(level.usable > 0 && level.usable <= 1)) {
    return fault("usable", "{} is not a share above 0 and up to 1", level.usable);
  }
  if (!(level.oversubscription >= 1 && level.oversubscription <= kMostOversubscription)) {
    return fault("oversubscription", "{} is not a ratio from 1 to {:.0f}", level.oversubscription,
                 kMostOversubscription);
  }
  if (!amount(level.latency)) return fault("latency", "{} is not a time", level.latency);
  if (!amount(level.hopLatency)) return fault("hop-latency", "{} is not a time", level.hopLatency);
  if (!amount(level.switchTime)) return fault("switch-time", "{} is not a time", level.switchTime);
  const auto count = [](std::int32_t value) { return value >= 1 && value <= kMostPorts; };
  if (!count(level.planes)) return fault("planes", "{} is not a number from 1 to {}", level.planes, kMostPorts);
  if (!count(level.rails)) return fault("rails", "{} is not a number from 1 to {}", level.rails, kMostPorts);
  if (!count(level.ports.count)) {
    return fault("ports", "{} is not a number from 1 to {}", level.ports.count, kMostPorts);
  }
  return std::nullopt;
}

/// Distance along one line of a grid.
std::int32_t alongLine(std::int32_t length, std::int32_t a, std::int32_t b, bool closed) {
  const std::int32_t straight = std::abs(a - b);
  return closed ? std::min(straight, length - straight) : straight;
}

}  // namespace

std::string_view nameOf(LevelKind kind) {
  switch (kind) {
    case LevelKind::switched: return "switch";
    case LevelKind::fullMesh: return "full-mesh";
    case LevelKind::ring: return "ring";
    case LevelKind::torus: return "torus";
    case LevelKind::mesh: return "mesh";
    case LevelKind::fatTree: return "fat-tree";
    case LevelKind::circuit: return "circuit";
  }
  return "?";
}

std::optional<LevelKind> levelKindNamed(std::string_view name) {
  for (const LevelKind kind : kLevelKinds) {
    if (nameOf(kind) == name) return kind;
  }
  return std::nullopt;
}

bool takesHops(LevelKind kind) {
  return kind == LevelKind::ring || isGrid(kind);
}

std::optional<LevelFault> faultOf(std::span<const Level> levels, int number) {
  const auto place = static_cast<std::size_t>(number);
  const Level& level = levels[place];
  if (!isName(level.name)) {
    return fault("name", "'{}' is not a name of 1 to {} characters without blanks and slashes",
                 level.name.substr(0, kLongestName), kLongestName);
  }
  for (const Level& inner : levels.first(place)) {
    if (inner.name == level.name) return fault("name", "'{}' is the name of a level further in already", level.name);
  }
  if (level.name == "rank") return fault("name", "'rank' is what the members of the innermost level are called");
  if (auto found = rangeFaultOf(level)) return found;
  if (level.ports.per < Ports::kPerRank || level.ports.per >= number) {
    return fault("ports", "ports are counted for each rank or each island of a level further in, not of level {}",
                 level.ports.per);
  }
  if (!level.dims.empty() && !isGrid(level.kind)) {
    return fault("dims", "only a torus or mesh has dimensions, not a {}", nameOf(level.kind));
  }
  if (level.dims.size() > kMostDims) {
    return fault("dims", "there are {} dimensions; at most {} are allowed", level.dims.size(), kMostDims);
  }
  for (const std::int32_t length : level.dims) {
    if (length < 1) return fault("dims", "a dimension has the length {}; at least 1 is allowed", length);
  }
  if (level.hopLatency > 0 && !takesHops(level.kind)) {
    return fault("hop-latency", "only in a ring, torus or mesh are some members further away, not in a {}",
                 nameOf(level.kind));
  }
  if (level.switchTime > 0 && level.kind != LevelKind::circuit) {
    return fault("switch-time", "only a circuit lays its links anew, not a {}", nameOf(level.kind));
  }
  return std::nullopt;
}

std::optional<LevelFault> shapeFaultOf(const Level& level, const plan::Hierarchy& hierarchy, int number) {
  if (level.dims.empty()) return std::nullopt;
  std::int64_t product = 1;
  for (const std::int32_t length : level.dims) product = std::min<std::int64_t>(product * length, INT32_MAX);
  for (std::int32_t g = 0; g < hierarchy.groups(number); ++g) {
    if (hierarchy.members(number, g) != product) {
      return fault("dims", "{} makes {} members, but the {} has {}", fmt::join(level.dims, " × "), product, level.name,
                   hierarchy.members(number, g));
    }
    if (hierarchy.equalMembers(number)) break;
  }
  return std::nullopt;
}

std::int32_t hopsBetween(const Level& level, std::int32_t members, std::int32_t a, std::int32_t b) {
  if (a == b) return 0;
  if (level.kind == LevelKind::ring) return alongLine(members, a, b, true);
  if (level.dims.empty()) return 1;
  std::int32_t hops = 0;
  for (const std::int32_t length : level.dims) {
    hops += alongLine(length, a % length, b % length, level.kind == LevelKind::torus);
    a /= length;
    b /= length;
  }
  return hops;
}

}  // namespace atl
