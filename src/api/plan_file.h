// SPDX-License-Identifier: Apache-2.0
// Plans of the user's own, from a JSON file.
#pragma once

#include <string>
#include <vector>

#include "src/base/result.h"
#include "src/comm/communicator.h"
#include "src/plan/plan.h"

namespace atl::api {

/// The family in the file. Errors name the file, and the place in it.
Result<std::vector<Plan>> readPlanFile(const std::string& path);

/// Applies ATOLL_PLAN_FILE to a new communicator, if it is set and its plans are for this number of ranks.
Status applyPlanSetting(Communicator& communicator);

}  // namespace atl::api
