// SPDX-License-Identifier: Apache-2.0
// Strict reading of JSON objects: every key is asked for by name, range-checked, and no other may be there.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"

namespace atl::plan {

/// Where a value stands in a document: "plans[3].lanes[0]". Lives on the reader's stack; made into text only for an
/// error.
class JsonPlace {
 public:
  JsonPlace() = default;
  [[nodiscard]] JsonPlace key(std::string_view name) const { return {this, name, 0}; }
  [[nodiscard]] JsonPlace item(std::size_t index) const { return {this, {}, index}; }
  [[nodiscard]] std::string path() const;

 private:
  JsonPlace(const JsonPlace* parent, std::string_view name, std::size_t index)
      : parent_(parent), name_(name), index_(index) {}

  const JsonPlace* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
};

template <class... Args>
Error wrongAt(const JsonPlace& place, fmt::format_string<Args...> format, Args&&... args) {
  return makeError(ErrorCode::invalidArgument, "{}: {}", place.path(),
                   fmt::format(format, std::forward<Args>(args)...));
}

/// A value as an error shows it: its JSON, cut where it is long.
std::string shown(const nlohmann::json& value);

/// An integer value within bounds.
Result<std::int32_t> jsonInteger(const nlohmann::json& value, const JsonPlace& place, std::int32_t least,
                                 std::int32_t most);

/// One object under reading. References must outlive it.
class JsonObject {
 public:
  /// An error if the value is not an object.
  static Result<JsonObject> of(const nlohmann::json& value, const JsonPlace& place);

  Result<std::int32_t> integer(std::string_view key, std::int32_t least, std::int32_t most);
  Result<std::int32_t> integerOr(std::string_view key, std::int32_t otherwise, std::int32_t least, std::int32_t most);
  /// A whole number that need not fit 32 bits.
  Result<std::uint64_t> natural(std::string_view key, std::uint64_t most);
  Result<bool> booleanOr(std::string_view key, bool otherwise);
  Result<std::string> text(std::string_view key, std::size_t longest);
  /// The array's value, to be walked by the caller.
  Result<const nlohmann::json*> array(std::string_view key);
  Result<const nlohmann::json*> any(std::string_view key);
  [[nodiscard]] bool has(std::string_view key) const { return value_->contains(key); }

  /// An error that names a key which nobody asked for. To be called last.
  [[nodiscard]] Status noOtherKeys() const;

  [[nodiscard]] const JsonPlace& place() const { return *place_; }

 private:
  JsonObject(const nlohmann::json& value, const JsonPlace& place) : value_(&value), place_(&place) {}

  const nlohmann::json* value_;
  const JsonPlace* place_;
  std::vector<std::string_view> asked_;
};

}  // namespace atl::plan
