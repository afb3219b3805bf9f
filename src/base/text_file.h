// SPDX-License-Identifier: Apache-2.0
// Files that users write and the library reads whole.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/result.h"

namespace atl {

/// The bytes of a file. Errors call it by `name`, such as "tuning table /etc/atoll.json".
Result<std::string> readTextFile(const std::string& path, std::string_view name);

/// What `read` makes of the file at `path`, once in a process for each path, so that all communicators of a process go
/// by the same content. An error is not kept. From any thread; always the same `read` for one File.
template <class File>
Result<std::shared_ptr<const File>> readOnce(const std::string& path, Result<File> (*read)(const std::string& path)) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const File>> known;
  const std::scoped_lock lock(mutex);
  auto& file = known[path];
  if (file == nullptr) {
    ATOLL_ASSIGN(File made, read(path));
    file = std::make_shared<const File>(std::move(made));
  }
  return file;
}

}  // namespace atl
