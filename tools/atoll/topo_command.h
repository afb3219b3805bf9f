// SPDX-License-Identifier: Apache-2.0
// `atoll topo`: shows this machine or a topology file as text, JSON, YAML or a picture.
#pragma once

#include <CLI/CLI.hpp>

namespace atl::tools {

/// Adds the sub-command. A callback that fails says why on standard error and leaves through CLI::RuntimeError.
void addTopoCommand(CLI::App& program);

}  // namespace atl::tools
