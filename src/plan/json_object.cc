// SPDX-License-Identifier: Apache-2.0
#include "src/plan/json_object.h"

#include <algorithm>

namespace atl::plan {

using nlohmann::json;

std::string shown(const json& value) {
  constexpr std::size_t kShown = 40;  // a hostile value may be long
  return value.dump(-1, ' ', true, json::error_handler_t::replace).substr(0, kShown);
}

std::string JsonPlace::path() const {
  if (!parent_) return "document";
  const std::string above = parent_->parent_ ? parent_->path() : "";
  if (name_.empty()) return fmt::format("{}[{}]", above, index_);
  return above.empty() ? std::string(name_) : fmt::format("{}.{}", above, name_);
}

Result<std::int32_t> jsonInteger(const json& value, const JsonPlace& place, std::int32_t least, std::int32_t most) {
  if (!value.is_number_integer()) return wrongAt(place, "not a whole number but {}", value.type_name());
  const bool tooLarge =
      value.is_number_unsigned() ? value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX) : false;
  const std::int64_t number = tooLarge ? INT64_MAX : value.get<std::int64_t>();
  if (number < least || number > most) {
    return wrongAt(place, "{} is out of range, {} to {} are possible", tooLarge ? value.dump() : std::to_string(number),
                   least, most);
  }
  return static_cast<std::int32_t>(number);
}

Result<JsonObject> JsonObject::of(const json& value, const JsonPlace& place) {
  if (!value.is_object()) return wrongAt(place, "not an object but {}", value.type_name());
  return JsonObject(value, place);
}

Result<const json*> JsonObject::any(std::string_view key) {
  asked_.push_back(key);
  const auto found = value_->find(key);
  if (found == value_->end()) return wrongAt(*place_, "lacks the key \"{}\"", key);
  return &*found;
}

Result<std::int32_t> JsonObject::integer(std::string_view key, std::int32_t least, std::int32_t most) {
  ATOLL_ASSIGN(const json* value, any(key));
  return jsonInteger(*value, place_->key(key), least, most);
}

Result<std::int32_t> JsonObject::integerOr(std::string_view key, std::int32_t otherwise, std::int32_t least,
                                           std::int32_t most) {
  if (has(key)) return integer(key, least, most);
  return otherwise;
}

Result<std::uint64_t> JsonObject::natural(std::string_view key, std::uint64_t most) {
  ATOLL_ASSIGN(const json* value, any(key));
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > most) {
    return wrongAt(place_->key(key), "{} is not a whole number up to {}", shown(*value), most);
  }
  return value->get<std::uint64_t>();
}

Result<bool> JsonObject::booleanOr(std::string_view key, bool otherwise) {
  if (!has(key)) return otherwise;
  ATOLL_ASSIGN(const json* value, any(key));
  if (!value->is_boolean()) return wrongAt(place_->key(key), "not true or false but {}", value->type_name());
  return value->get<bool>();
}

Result<std::string> JsonObject::text(std::string_view key, std::size_t longest) {
  ATOLL_ASSIGN(const json* value, any(key));
  if (!value->is_string()) return wrongAt(place_->key(key), "not a string but {}", value->type_name());
  const auto& text = value->get_ref<const std::string&>();
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (text.empty() || text.size() > longest || !printable) {
    return wrongAt(place_->key(key), "not 1 to {} printable ASCII characters", longest);
  }
  return text;
}

Result<const json*> JsonObject::array(std::string_view key) {
  ATOLL_ASSIGN(const json* value, any(key));
  if (!value->is_array()) return wrongAt(place_->key(key), "not an array but {}", value->type_name());
  return value;
}

Status JsonObject::noOtherKeys() const {
  for (const auto& item : value_->items()) {
    if (std::find(asked_.begin(), asked_.end(), item.key()) == asked_.end()) {
      // A hostile key may be long.
      constexpr std::size_t kShown = 40;
      return wrongAt(*place_, "unknown key \"{}\"", item.key().substr(0, kShown));
    }
  }
  return success();
}

}  // namespace atl::plan
