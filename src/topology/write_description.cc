// SPDX-License-Identifier: Apache-2.0
// Topology files as Atoll writes them.
#include <fmt/ranges.h>

#include "src/topology/description.h"
#include "src/topology/members_text.h"
#include "src/topology/units.h"

namespace atl {
namespace {

/// Text in double quotes, which YAML takes for nothing else.
std::string quoted(std::string_view text) {
  std::string safe = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      safe += fmt::format("\\{}", c);
    } else if (c == '\n') {
      safe += "\\n";
    } else if (static_cast<unsigned char>(c) < ' ' || c == 127) {
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      safe += c;
    }
  }
  return safe + '"';
}

/// Short where that loses nothing, in bytes a second or in seconds otherwise.
std::string exactRate(double value) {
  std::string text = rateText(value);
  const auto same = parseRate(text);
  return same.ok() && *same == value ? text : fmt::format("{} B/s", value);
}
std::string exactDuration(double value) {
  if (value == 0) return "0 s";
  std::string text = durationText(value);
  const auto same = parseDuration(text);
  return same.ok() && *same == value ? text : fmt::format("{} s", value);
}

plan::Hierarchy::Members membersOf(const plan::Hierarchy& shape, int level) {
  if (shape.equalMembers(level)) return {shape.members(level, 0)};
  plan::Hierarchy::Members members;
  for (std::int32_t g = 0; g < shape.groups(level); ++g) members.push_back(shape.members(level, g));
  return members;
}

std::string fieldsOf(const Level& level, std::span<const Level> all) {
  std::string text;
  const auto field = [&](bool told, std::string_view key, const std::string& value) {
    if (told) text += fmt::format("    {}: {}\n", key, value);
  };
  const std::string per =
      level.ports.per == Ports::kPerRank ? "rank" : all[static_cast<std::size_t>(level.ports.per)].name;
  field(!level.dims.empty(), "dims", fmt::format("[{}]", fmt::join(level.dims, ", ")));
  field(level.bandwidth != 0, "bandwidth", exactRate(level.bandwidth));
  field(level.usable != 1, "usable", fmt::format("{}", level.usable));
  field(level.ports != Ports(), "ports", quoted(fmt::format("{} per {}", level.ports.count, per)));
  field(level.planes != 1, "planes", fmt::format("{}", level.planes));
  field(level.rails != 1, "rails", fmt::format("{}", level.rails));
  field(level.oversubscription != 1, "oversubscription", fmt::format("{}", level.oversubscription));
  field(level.latency != 0, "latency", exactDuration(level.latency));
  field(takesHops(level.kind) && level.hopLatency != level.latency, "hop-latency", exactDuration(level.hopLatency));
  field(level.switchTime != 0, "switch-time", exactDuration(level.switchTime));
  return text;
}

}  // namespace

std::string TopologyDescription::toYaml() const {
  std::string text = "atoll-topology: 1\n";
  if (!name.empty()) text += fmt::format("name: {}\n", quoted(name));
  if (!note.empty()) text += fmt::format("note: {}\n", quoted(note));
  if (!sources.empty()) text += "sources:\n";
  for (const std::string& source : sources) text += fmt::format("  - {}\n", quoted(source));
  text += "levels:\n";
  for (std::size_t l = 0; l < levels.size(); ++l) {
    text += fmt::format("  - name: {}\n    kind: {}\n", quoted(levels[l].name), nameOf(levels[l].kind));
    if (shape) text += fmt::format("    members: {}\n", membersText(membersOf(*shape, static_cast<int>(l))));
    text += fieldsOf(levels[l], levels);
    if (l >= labels.size() || labels[l].empty()) continue;
    std::vector<std::string> safe;
    for (const std::string& label : labels[l]) safe.push_back(quoted(label));
    text += fmt::format("    labels: [{}]\n", fmt::join(safe, ", "));
  }
  if (shape && !shape->inOrder()) text += fmt::format("placement: {}\n", placementText(*shape));
  return text;
}

}  // namespace atl
