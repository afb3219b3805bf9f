// SPDX-License-Identifier: Apache-2.0
#include "src/plan/json_document.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace atl::plan {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestName = 64;
constexpr int kDeepestDocument = 16;

/// Sees keys as they come, because of two equal ones the parser keeps only the last, and limits the depth.
class Watcher {
 public:
  /// nlohmann's callback: false drops the value.
  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kDeepestDocument) {
      note("is nested too deeply");
      return false;
    }
    switch (event) {
      case json::parse_event_t::object_start: keys_.emplace_back(); break;
      case json::parse_event_t::object_end:
        if (!keys_.empty()) keys_.pop_back();
        break;
      case json::parse_event_t::key:
        if (!keys_.empty() && !keys_.back().insert(parsed.get_ref<const std::string&>()).second) {
          note(fmt::format("has the key {} twice in one object", parsed.dump().substr(0, kLongestName)));
        }
        break;
      default: break;
    }
    return true;
  }

  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  void note(std::string text) {
    if (complaint_.empty()) complaint_ = std::move(text);
  }

  std::vector<std::set<std::string>> keys_;
  std::string complaint_;
};

}  // namespace

Result<json> parseJson(std::string_view text, std::size_t largest) {
  if (text.size() > largest) {
    return makeError(ErrorCode::invalidArgument, "document: {} bytes, more than the {} allowed", text.size(), largest);
  }
  Watcher watcher;
  json document;
  try {
    document = json::parse(text, std::ref(watcher));
  } catch (const json::exception& e) {
    return makeError(ErrorCode::invalidArgument, "document: not JSON: {}", e.what());
  }
  if (!watcher.complaint().empty()) return makeError(ErrorCode::invalidArgument, "document: {}", watcher.complaint());
  return document;
}

}  // namespace atl::plan
