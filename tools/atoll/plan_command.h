// SPDX-License-Identifier: Apache-2.0
// `atoll plan`: shows, proves, lists and exports plans.
#pragma once

#include <CLI/CLI.hpp>

namespace atl::tools {

/// Adds the sub-command and its own sub-commands show, verify, list and export. A callback that fails says why on
/// standard error and leaves through CLI::RuntimeError.
void addPlanCommand(CLI::App& program);

}  // namespace atl::tools
