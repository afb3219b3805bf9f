// SPDX-License-Identifier: Apache-2.0
#include "src/base/text_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace atl {

Result<std::string> readTextFile(const std::string& path, std::string_view name) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return systemError(errno, fmt::format("cannot open {}", name));
  std::ostringstream content;
  content << file.rdbuf();
  if (content.bad() || file.bad()) return systemError(errno, fmt::format("cannot read {}", name));
  return std::move(content).str();
}

}  // namespace atl
