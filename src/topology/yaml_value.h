// SPDX-License-Identifier: Apache-2.0
// Strict reading of YAML: every error names file, line, column and field, the value found and what is allowed.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/result.h"

namespace atl {

class YamlMap;

/// One value of a document, which knows where it stands.
class YamlValue {
 public:
  /// The only document of the text; `source` is what errors call it. Anchors, aliases and tags are not taken, so that
  /// a document is as large as it looks.
  static Result<YamlValue> parse(std::string_view text, std::string_view source);

  /// "FILE:12:3: levels[1].bandwidth: text".
  [[nodiscard]] Error wrong(std::string_view text) const;

  [[nodiscard]] bool isList() const { return node_.IsSequence(); }
  [[nodiscard]] bool isScalar() const { return node_.IsScalar(); }
  /// A scalar's text, from 1 to `longest` bytes.
  [[nodiscard]] Result<std::string> text(std::size_t longest) const;
  [[nodiscard]] Result<std::int32_t> integer(std::int32_t least, std::int32_t most) const;
  [[nodiscard]] Result<double> number() const;
  [[nodiscard]] Result<std::vector<YamlValue>> items() const;
  /// A map all of whose keys are among `fields`, each at most once.
  [[nodiscard]] Result<YamlMap> map(std::initializer_list<std::string_view> fields) const;

 private:
  YamlValue(YAML::Node node, std::shared_ptr<const std::string> source, std::string path)
      : node_(std::move(node)), source_(std::move(source)), path_(std::move(path)) {}

  /// The value as an error shows it, cut where it is long.
  [[nodiscard]] std::string shown() const;

  YAML::Node node_;
  std::shared_ptr<const std::string> source_;
  std::string path_;
};

/// A map whose keys have been looked at.
class YamlMap {
 public:
  [[nodiscard]] const YamlValue* find(std::string_view key) const;
  /// The value, or an error that says that the field is missing.
  [[nodiscard]] Result<YamlValue> need(std::string_view key) const;
  /// The value that a field stands for in errors: its own, or the map's where the field is not there.
  [[nodiscard]] const YamlValue& at(std::string_view key) const;

 private:
  friend class YamlValue;
  explicit YamlMap(YamlValue self) : self_(std::move(self)) {}

  YamlValue self_;
  std::vector<std::pair<std::string, YamlValue>> fields_;
};

}  // namespace atl
