// SPDX-License-Identifier: Apache-2.0
// `atoll run`: the launcher's options.
#pragma once

#include <CLI/CLI.hpp>

namespace atl::tools {

/// Adds the sub-command. Its callback runs the job and leaves through CLI::RuntimeError with the job's exit code.
void addRunCommand(CLI::App& program);

}  // namespace atl::tools
