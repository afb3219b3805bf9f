// SPDX-License-Identifier: Apache-2.0
// Files that a reader never sees half: written beside their place and renamed.
#pragma once

#include <string>
#include <string_view>

#include "src/base/result.h"

namespace atl::perf {

/// Whether a file can be made there; asked before a long measurement, not after it. Changes nothing.
Status probeWhole(const std::string& path);

/// Puts `text` in the file's place. An error leaves what was there before, and nothing beside it. A SIGINT or SIGTERM
/// that comes meanwhile is passed over, if it would have ended the process: the result is nearly saved.
Status writeWhole(const std::string& path, std::string_view text);

}  // namespace atl::perf
