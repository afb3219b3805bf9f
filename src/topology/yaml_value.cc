// SPDX-License-Identifier: Apache-2.0
#include "src/topology/yaml_value.h"

#include <fmt/ranges.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/emitterstyle.h>
#include <yaml-cpp/eventhandler.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace atl {
namespace {

constexpr std::size_t kLongestShown = 60;

/// Text of a document in an error: short, and on one line.
std::string cut(std::string_view text) {
  std::string line(text.substr(0, kLongestShown));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text.size() > kLongestShown ? line + "…" : line;
}

std::string_view nameOf(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar: return "a single value";
    case YAML::NodeType::Sequence: return "a list";
    case YAML::NodeType::Map: return "a map";
    default: return "nothing";
  }
}

std::string positionOf(const YAML::Mark& mark) {
  return mark.is_null() ? "" : fmt::format(":{}:{}", mark.line + 1, mark.column + 1);
}

/// Finds what makes a document larger than it looks, or values other than they look.
class PlainDocument final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { check(mark, "", anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { refuse(mark, "an alias (*)"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& /*value*/) override {
    check(mark, tag, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    check(mark, tag, anchor);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    check(mark, tag, anchor);
  }
  void OnMapEnd() override {}

 private:
  static void refuse(const YAML::Mark& mark, std::string_view what) {
    throw YAML::ParserException(mark, fmt::format("{} is not allowed here", what));
  }
  static void check(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "an anchor (&)");
    if (tag.size() > 1) refuse(mark, "a tag (!)");  // "?" and "!" are what plain and quoted values have
  }
};

}  // namespace

Result<YamlValue> YamlValue::parse(std::string_view text, std::string_view source) {
  auto name = std::make_shared<const std::string>(source);
  try {
    std::istringstream first{std::string(text)};
    YAML::Parser parser(first);
    PlainDocument plain;
    parser.HandleNextDocument(plain);
    if (parser.HandleNextDocument(plain)) {
      return makeError(ErrorCode::invalidArgument, "{}: there is more than one document", source);
    }
    return YamlValue(YAML::Load(std::string(text)), std::move(name), "");
  } catch (const YAML::Exception& problem) {
    return makeError(ErrorCode::invalidArgument, "{}{}: not YAML: {}", source, positionOf(problem.mark),
                     cut(problem.msg));
  }
}

Error YamlValue::wrong(std::string_view text) const {
  return makeError(ErrorCode::invalidArgument, "{}{}: {}{}{}", *source_, positionOf(node_.Mark()), path_,
                   path_.empty() ? "" : ": ", text);
}

std::string YamlValue::shown() const {
  return node_.IsScalar() ? fmt::format("'{}'", cut(node_.Scalar())) : std::string(nameOf(node_));
}

Result<std::string> YamlValue::text(std::size_t longest) const {
  if (!node_.IsScalar()) return wrong(fmt::format("{} stands where a text is allowed", nameOf(node_)));
  const std::string& value = node_.Scalar();
  if (value.empty() || value.size() > longest) {
    return wrong(fmt::format("a text of {} bytes; 1 to {} are allowed", value.size(), longest));
  }
  return value;
}

Result<std::int32_t> YamlValue::integer(std::int32_t least, std::int32_t most) const {
  std::int32_t value = 0;
  const std::string_view digits = node_.IsScalar() ? std::string_view(node_.Scalar()) : std::string_view();
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || ec != std::errc() || end != digits.data() + digits.size() || value < least || value > most) {
    return wrong(fmt::format("{} is not a whole number from {} to {}", shown(), least, most));
  }
  return value;
}

Result<double> YamlValue::number() const {
  double value = 0;
  const std::string_view digits = node_.IsScalar() ? std::string_view(node_.Scalar()) : std::string_view();
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || ec != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) {
    return wrong(fmt::format("{} is not a number", shown()));
  }
  return value;
}

Result<std::vector<YamlValue>> YamlValue::items() const {
  if (!node_.IsSequence()) return wrong(fmt::format("{} stands where a list is allowed", nameOf(node_)));
  std::vector<YamlValue> values;
  values.reserve(node_.size());
  for (const YAML::Node& item : node_) {
    values.push_back(YamlValue(item, source_, fmt::format("{}[{}]", path_, values.size())));
  }
  return values;
}

Result<YamlMap> YamlValue::map(std::initializer_list<std::string_view> fields) const {
  if (!node_.IsMap()) return wrong(fmt::format("{} stands where a map is allowed", nameOf(node_)));
  YamlMap result(*this);
  for (const auto& entry : node_) {
    const YamlValue key(entry.first, source_, path_);
    const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (std::ranges::find(fields, name) == fields.end()) {
      return key.wrong(fmt::format("there is no field {} here; allowed are {}", key.shown(), fmt::join(fields, ", ")));
    }
    if (result.find(name) != nullptr) return key.wrong(fmt::format("the field '{}' comes twice", name));
    std::string path = path_.empty() ? name : fmt::format("{}.{}", path_, name);
    result.fields_.emplace_back(name, YamlValue(entry.second, source_, std::move(path)));
  }
  return result;
}

const YamlValue* YamlMap::find(std::string_view key) const {
  const auto found = std::ranges::find(fields_, key, [](const auto& field) { return std::string_view(field.first); });
  return found == fields_.end() ? nullptr : &found->second;
}

Result<YamlValue> YamlMap::need(std::string_view key) const {
  const YamlValue* const value = find(key);
  if (value == nullptr) return self_.wrong(fmt::format("the field '{}' is missing", key));
  return *value;
}

const YamlValue& YamlMap::at(std::string_view key) const {
  const YamlValue* const value = find(key);
  return value == nullptr ? self_ : *value;
}

}  // namespace atl
