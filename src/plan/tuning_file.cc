// SPDX-License-Identifier: Apache-2.0
#include "src/plan/tuning_file.h"

#include <algorithm>

#include "src/base/hash.h"
#include "src/base/text_file.h"

namespace atl::plan {

Result<TuningFile> readTuningFile(const std::string& path) {
  const std::string name = fmt::format("tuning table {}", path);
  ATOLL_ASSIGN(const std::string text, readTextFile(path, name));
  auto table = TuningTable::fromJson(text);
  if (!table.ok()) return std::move(table).error().within(name);
  return TuningFile{path, std::max<std::uint64_t>(1, hashText(text)), std::move(table).value()};
}

Result<std::shared_ptr<const TuningFile>> tuningFileAt(const std::string& path) {
  return readOnce(path, readTuningFile);
}

}  // namespace atl::plan
