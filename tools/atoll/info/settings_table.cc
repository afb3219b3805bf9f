// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/info/settings_table.h"

#include <fmt/format.h>

#include <cstdlib>

#include "src/base/settings.h"

namespace atl::tools {
namespace {

/// Markdown takes a bar for the end of a cell.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string settingsMarkdown() {
  std::string text =
      "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
      "<!-- Written by `atoll info --settings-markdown` from the registry in src/base/settings.cc: edit that, not "
      "this. -->\n"
      "# Settings\n\n"
      "Atoll reads these environment variables once, when a process makes its first communicator. A communicator's\n"
      "`atollConfig_t` overrides some of them for that communicator. A value that cannot be read is an error that "
      "names the\n"
      "variable; an `ATOLL_` variable that is not in this table is warned of, with the nearest name that is.\n\n"
      "Sizes are plain bytes or take the suffixes K, M and G, which are binary.\n\n"
      "| Variable | Value | Default | Meaning |\n"
      "|---|---|---|---|\n";
  for (const SettingInfo& setting : settingTable()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", setting.name, cell(setting.type),
                        setting.defaultValue.empty() ? "" : fmt::format("`{}`", setting.defaultValue),
                        cell(setting.meaning));
  }
  return text;
}

std::string settingsNow() {
  std::string text;
  for (const SettingInfo& setting : settingTable()) {
    // The name is a literal of the registry, and so ends with a zero.
    const char* const value = std::getenv(setting.name.data());
    // An id holds the job's secret.
    if (value != nullptr) text += fmt::format("  {}={}\n", setting.name, setting.name == "ATOLL_ID" ? "(set)" : value);
  }
  return text + "  (all there are: docs/settings.md, or atoll info --settings-markdown)\n";
}

}  // namespace atl::tools
