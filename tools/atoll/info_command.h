// SPDX-License-Identifier: Apache-2.0
// `atoll info`: what this build is, what it sees of the machine, and what it is set to.
#pragma once

#include <CLI/CLI.hpp>

namespace atl::tools {

/// Adds the sub-command. It leaves through CLI::RuntimeError when something fails.
void addInfoCommand(CLI::App& program);

}  // namespace atl::tools
