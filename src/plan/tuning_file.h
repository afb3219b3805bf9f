// SPDX-License-Identifier: Apache-2.0
// The tuning table that ATOLL_TUNING names.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "src/base/result.h"
#include "src/plan/tuning_table.h"

namespace atl::plan {

struct TuningFile {
  std::string path;
  std::uint64_t hash = 0;  ///< of the file's text; never 0
  TuningTable table;
};

/// Reads a table. Errors name the file, and the field and value in it.
Result<TuningFile> readTuningFile(const std::string& path);

/// The same, once in a process for each path: what was read stays as it was, so that all communicators of a process
/// choose alike though the file is written anew meanwhile. An error is not kept. From any thread.
Result<std::shared_ptr<const TuningFile>> tuningFileAt(const std::string& path);

}  // namespace atl::plan
