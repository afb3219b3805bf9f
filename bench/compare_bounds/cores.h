// SPDX-License-Identifier: Apache-2.0
// The cores that this process may use, and threads that stay on them.
#pragma once

#include <functional>
#include <vector>

#include "src/base/result.h"

namespace atl::perf {

/// Numbers of the cores in this process's affinity mask.
Result<std::vector<int>> usableCores();

/// Runs `body(i)` on a thread that stays on cores[i], for every i at once, and returns when all have ended.
void onEachCore(const std::vector<int>& cores, const std::function<void(std::size_t index)>& body);

}  // namespace atl::perf
