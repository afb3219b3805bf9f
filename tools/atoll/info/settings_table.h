// SPDX-License-Identifier: Apache-2.0
// The registry of settings for people: docs/settings.md, and what the environment sets now.
#pragma once

#include <string>

namespace atl::tools {

/// The whole of docs/settings.md. A test compares the committed file with it.
std::string settingsMarkdown();

/// One line for each setting that the environment gives a value, and a last one on how to see all.
std::string settingsNow();

}  // namespace atl::tools
