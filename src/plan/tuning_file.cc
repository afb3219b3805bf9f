// SPDX-License-Identifier: Apache-2.0
#include "src/plan/tuning_file.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "src/base/hash.h"

namespace atl::plan {

Result<TuningFile> readTuningFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return systemError(errno, fmt::format("cannot open tuning table {}", path));
  std::ostringstream content;
  content << file.rdbuf();
  if (content.bad() || file.bad()) return systemError(errno, fmt::format("cannot read tuning table {}", path));
  const std::string text = std::move(content).str();
  auto table = TuningTable::fromJson(text);
  if (!table.ok()) return std::move(table).error().within(fmt::format("tuning table {}", path));
  return TuningFile{path, std::max<std::uint64_t>(1, hashText(text)), std::move(table).value()};
}

Result<std::shared_ptr<const TuningFile>> tuningFileAt(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const TuningFile>> known;
  const std::scoped_lock lock(mutex);
  auto& file = known[path];
  if (file == nullptr) {
    ATOLL_ASSIGN(TuningFile read, readTuningFile(path));
    file = std::make_shared<const TuningFile>(std::move(read));
  }
  return file;
}

}  // namespace atl::plan
