// SPDX-License-Identifier: Apache-2.0
// `atoll tune`: measure every algorithm on the user's machine, and write the table that the library chooses by.
#pragma once

#include <CLI/CLI.hpp>

namespace atl::tools {

void addTuneCommand(CLI::App& program);

}  // namespace atl::tools
