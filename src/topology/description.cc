// SPDX-License-Identifier: Apache-2.0
#include "src/topology/description.h"

#include <algorithm>
#include <charconv>

#include "src/base/hash.h"
#include "src/base/text_file.h"
#include "src/topology/members_text.h"
#include "src/topology/units.h"
#include "src/topology/yaml_value.h"

namespace atl {
namespace {

using plan::Hierarchy;

constexpr std::size_t kLargestDocument = std::size_t{16} << 20;
constexpr std::size_t kLongestText = 4000;
constexpr std::size_t kLongestLabel = 256;
constexpr std::int32_t kVersion = 1;

/// A field of a level that may be left out, and how it is read.
template <class T, class Read>
Status readOptional(const YamlMap& map, std::string_view key, T& field, Read read) {
  const YamlValue* const value = map.find(key);
  if (value == nullptr) return success();
  ATOLL_ASSIGN(field, read(*value));
  return success();
}

Result<double> readRate(const YamlValue& value) {
  ATOLL_ASSIGN(const std::string text, value.text(kLongestText));
  const auto rate = parseRate(text);
  if (!rate.ok()) return value.wrong(rate.error().text);
  return *rate;
}

Result<double> readDuration(const YamlValue& value) {
  ATOLL_ASSIGN(const std::string text, value.text(kLongestText));
  const auto duration = parseDuration(text);
  if (!duration.ok()) return value.wrong(duration.error().text);
  return *duration;
}

Result<double> readNumber(const YamlValue& value) {
  return value.number();
}

Result<std::int32_t> readCount(const YamlValue& value) {
  return value.integer(1, Hierarchy::kMostRanks);
}

Result<LevelKind> readKind(const YamlValue& value) {
  ATOLL_ASSIGN(const std::string text, value.text(kLongestText));
  const auto kind = levelKindNamed(text);
  if (kind) return *kind;
  std::string allowed;
  for (const LevelKind one : kLevelKinds) allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", nameOf(one));
  return value.wrong(fmt::format("'{}' is not one of {}", text.substr(0, 60), allowed));
}

Result<std::vector<std::int32_t>> readDims(const YamlValue& value) {
  ATOLL_ASSIGN(const auto items, value.items());
  std::vector<std::int32_t> dims;
  for (const YamlValue& item : items) {
    ATOLL_ASSIGN(const std::int32_t length, readCount(item));
    dims.push_back(length);
  }
  if (dims.empty()) return value.wrong("an empty list; the length of each dimension is allowed");
  return dims;
}

/// "4 per host", where host is a level further in, or "2 per rank".
Result<Ports> readPorts(const YamlValue& value, std::span<const Level> inner) {
  ATOLL_ASSIGN(const std::string text, value.text(kLongestText));
  constexpr std::string_view kPer = " per ";
  Ports ports;
  std::string allowed = "rank";
  for (const Level& level : inner) allowed += ", " + level.name;
  const auto middle = text.find(kPer);
  const char* const end = text.data() + std::min(middle, text.size());
  const auto [rest, ec] = std::from_chars(text.data(), end, ports.count);
  const std::string name = middle == std::string::npos ? "" : text.substr(middle + kPer.size());
  const auto level = std::ranges::find(inner, name, &Level::name);
  if (ec != std::errc() || rest != end || ports.count < 1 || (name != "rank" && level == inner.end())) {
    return value.wrong(
        fmt::format("'{}' is not a number such as '4 per NAME', where NAME is one of {}", text.substr(0, 60), allowed));
  }
  ports.per = name == "rank" ? Ports::kPerRank : static_cast<int>(level - inner.begin());
  return ports;
}

Result<Level> readLevel(const YamlMap& map, std::span<const Level> inner) {
  Level level;
  ATOLL_ASSIGN(const YamlValue name, map.need("name"));
  ATOLL_ASSIGN(level.name, name.text(kLongestText));
  ATOLL_ASSIGN(const YamlValue kind, map.need("kind"));
  ATOLL_ASSIGN(level.kind, readKind(kind));
  ATOLL_TRY(readOptional(map, "dims", level.dims, readDims));
  ATOLL_TRY(readOptional(map, "bandwidth", level.bandwidth, readRate));
  ATOLL_TRY(readOptional(map, "usable", level.usable, readNumber));
  ATOLL_TRY(readOptional(map, "ports", level.ports, [&](const YamlValue& v) { return readPorts(v, inner); }));
  ATOLL_TRY(readOptional(map, "planes", level.planes, readCount));
  ATOLL_TRY(readOptional(map, "rails", level.rails, readCount));
  ATOLL_TRY(readOptional(map, "oversubscription", level.oversubscription, readNumber));
  ATOLL_TRY(readOptional(map, "latency", level.latency, readDuration));
  if (takesHops(level.kind)) level.hopLatency = level.latency;
  ATOLL_TRY(readOptional(map, "hop-latency", level.hopLatency, readDuration));
  ATOLL_TRY(readOptional(map, "switch-time", level.switchTime, readDuration));
  return level;
}

Status checkLevel(const YamlMap& map, std::span<const Level> upToIt) {
  const auto fault = faultOf(upToIt, static_cast<int>(upToIt.size()) - 1);
  return fault ? Status(map.at(fault->field).wrong(fault->text)) : success();
}

/// The tree that the levels' numbers of members make; each error at the field that it comes from.
Result<Hierarchy> readShape(std::span<const YamlMap> maps, std::span<const Level> levels) {
  std::vector<Hierarchy::Members> members(maps.size());
  std::int64_t groups = 1;
  for (std::size_t l = maps.size(); l-- > 0;) {
    ATOLL_ASSIGN(const YamlValue field, maps[l].need("members"));
    ATOLL_ASSIGN(members[l], readMembers(field));
    if (members[l].size() != 1 && members[l].size() != static_cast<std::size_t>(groups)) {
      return field.wrong(fmt::format("numbers of members for {} islands, but the levels further out make {}",
                                     members[l].size(), groups));
    }
    std::int64_t total = members[l].size() == 1 ? groups * members[l].front() : 0;
    if (total == 0) {
      for (const std::int32_t count : members[l]) total += count;
    }
    if (total > Hierarchy::kMostRanks) {
      return field.wrong(fmt::format("there are {} members of all islands together; at most {} are allowed", total,
                                     Hierarchy::kMostRanks));
    }
    groups = total;
  }
  ATOLL_ASSIGN(Hierarchy shape, Hierarchy::make(members));
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const auto fault = shapeFaultOf(levels[l], shape, static_cast<int>(l));
    if (fault) return maps[l].at(fault->field).wrong(fault->text);
  }
  return shape;
}

Result<std::vector<std::string>> readTexts(const YamlValue& value, std::size_t longest) {
  ATOLL_ASSIGN(const auto items, value.items());
  std::vector<std::string> texts;
  for (const YamlValue& item : items) {
    ATOLL_ASSIGN(std::string text, item.text(longest));
    texts.push_back(std::move(text));
  }
  return texts;
}

Status readLabels(std::span<const YamlMap> maps, TopologyDescription& into) {
  for (std::size_t l = 0; l < maps.size(); ++l) {
    const YamlValue* const field = maps[l].find("labels");
    if (field == nullptr) continue;
    if (!into.shape) return field->wrong("labels are for islands whose number the file gives; 'members' is missing");
    into.labels.resize(l + 1);
    ATOLL_ASSIGN(into.labels[l], readTexts(*field, kLongestLabel));
    const auto groups = static_cast<std::size_t>(into.shape->groups(static_cast<int>(l)));
    if (into.labels[l].size() != groups) {
      return field->wrong(fmt::format("{} labels, but there are {} islands", into.labels[l].size(), groups));
    }
  }
  return success();
}

Status readLevels(const YamlValue& field, TopologyDescription& into, std::vector<YamlMap>& maps) {
  ATOLL_ASSIGN(const auto items, field.items());
  if (items.empty() || items.size() > Hierarchy::kMostLevels) {
    return field.wrong(fmt::format("{} levels; 1 to {} are allowed", items.size(), Hierarchy::kMostLevels));
  }
  for (const YamlValue& item : items) {
    ATOLL_ASSIGN(YamlMap map,
                 item.map({"name", "kind", "members", "dims", "bandwidth", "usable", "ports", "planes", "rails",
                           "oversubscription", "latency", "hop-latency", "switch-time", "labels"}));
    ATOLL_ASSIGN(Level level, readLevel(map, into.levels));
    into.levels.push_back(std::move(level));
    ATOLL_TRY(checkLevel(map, into.levels));
    maps.push_back(std::move(map));
  }
  return success();
}

}  // namespace

Result<TopologyDescription> TopologyDescription::fromYaml(std::string_view text, std::string_view source) {
  if (text.size() > kLargestDocument) {
    return makeError(ErrorCode::invalidArgument, "{}: {} bytes; at most {} are allowed", source, text.size(),
                     kLargestDocument);
  }
  ATOLL_ASSIGN(const YamlValue document, YamlValue::parse(text, source));
  ATOLL_ASSIGN(const YamlMap top, document.map({"atoll-topology", "name", "note", "sources", "levels", "placement"}));
  ATOLL_ASSIGN(const YamlValue version, top.need("atoll-topology"));
  if (!version.integer(kVersion, kVersion).ok()) {
    return version.wrong(fmt::format("this library reads version {} of the format and no other", kVersion));
  }

  TopologyDescription description;
  ATOLL_TRY(readOptional(top, "name", description.name, [](const YamlValue& v) { return v.text(kLongestLabel); }));
  ATOLL_TRY(readOptional(top, "note", description.note, [](const YamlValue& v) { return v.text(kLongestText); }));
  ATOLL_TRY(
      readOptional(top, "sources", description.sources, [](const YamlValue& v) { return readTexts(v, kLongestText); }));
  ATOLL_ASSIGN(const YamlValue levels, top.need("levels"));
  std::vector<YamlMap> maps;
  ATOLL_TRY(readLevels(levels, description, maps));
  if (std::ranges::any_of(maps, [](const YamlMap& map) { return map.find("members") != nullptr; })) {
    ATOLL_ASSIGN(description.shape, readShape(maps, description.levels));
  }
  ATOLL_TRY(readLabels(maps, description));
  if (const YamlValue* const placement = top.find("placement"); placement != nullptr) {
    if (!description.shape) return placement->wrong("ranks can be placed only where the levels have 'members'");
    ATOLL_ASSIGN(std::vector<Rank> rankAt, readPlacement(*placement, *description.shape));
    ATOLL_ASSIGN(description.shape, description.shape->placed(std::move(rankAt)));
  }
  return description;
}

TopologyDescription TopologyDescription::of(const Topology& topology) {
  TopologyDescription description;
  description.name = topology.name();
  description.levels.assign(topology.levels().begin(), topology.levels().end());
  description.labels = topology.labels();
  description.shape = topology.hierarchy();
  return description;
}

std::optional<Topology> TopologyDescription::topology() const {
  if (!shape) return std::nullopt;
  auto made = Topology::make(name, *shape, levels, labels);
  return made.ok() ? std::optional(std::move(made).value()) : std::nullopt;
}

Result<TopologyFile> readTopologyFile(const std::string& path) {
  ATOLL_ASSIGN(const std::string text, readTextFile(path, fmt::format("topology file {}", path)));
  ATOLL_ASSIGN(TopologyDescription description, TopologyDescription::fromYaml(text, path));
  return TopologyFile{path, std::max<std::uint64_t>(1, hashText(text)), std::move(description)};
}

Result<std::shared_ptr<const TopologyFile>> topologyFileAt(const std::string& path) {
  return readOnce(path, readTopologyFile);
}

}  // namespace atl
