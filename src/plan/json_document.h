// SPDX-License-Identifier: Apache-2.0
// Strict parsing of a JSON document that may come from anywhere.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string_view>

#include "src/base/result.h"

namespace atl::plan {

/// The document in `text`. A text over `largest` bytes, one that is no JSON, one nested too deeply, and a key that
/// comes twice in one object are errors that say so.
Result<nlohmann::json> parseJson(std::string_view text, std::size_t largest);

}  // namespace atl::plan
