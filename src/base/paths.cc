// SPDX-License-Identifier: Apache-2.0
#include "src/base/paths.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

namespace atl {
namespace {

struct NamedPath {
  std::string_view name;
  Path Paths::*path;
};
constexpr std::array kPaths = {
    NamedPath{"flat", &Paths::flat},       NamedPath{"stream", &Paths::stream}, NamedPath{"forward", &Paths::forward},
    NamedPath{"deliver", &Paths::deliver}, NamedPath{"eager", &Paths::eager},   NamedPath{"sleep", &Paths::sleep},
};
constexpr std::string_view kAll = "all";

Result<Path> parseValue(std::string_view text) {
  if (text == "auto") return Path::automatic;
  if (text == "on") return Path::on;
  if (text == "off") return Path::off;
  return makeError(ErrorCode::invalidArgument, "'{}' is not auto, on or off", text);
}

Status apply(Paths& paths, std::string_view entry) {
  const auto equals = std::min(entry.find('='), entry.size());
  const std::string_view name = entry.substr(0, equals);
  const auto found = std::ranges::find(kPaths, name, &NamedPath::name);
  if (found == kPaths.end() && name != kAll) {
    std::array<std::string_view, kPaths.size()> names;
    std::ranges::transform(kPaths, names.begin(), &NamedPath::name);
    return makeError(ErrorCode::invalidArgument, "'{}' is not a path: known are {} and {}", name,
                     fmt::join(names, ", "), kAll);
  }
  if (equals == entry.size()) {
    return makeError(ErrorCode::invalidArgument, "'{}' says neither {}=auto, {}=on nor {}=off", entry, name, name,
                     name);
  }
  auto value = parseValue(entry.substr(equals + 1));
  if (!value.ok()) return std::move(value).error().within(name);
  for (const NamedPath& known : kPaths) {
    if (known.name == name || name == kAll) paths.*known.path = *value;
  }
  return success();
}

}  // namespace

Result<Paths> Paths::parse(std::string_view text) {
  Paths paths;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) ATOLL_TRY(apply(paths, text.substr(0, comma)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return paths;
}

}  // namespace atl
