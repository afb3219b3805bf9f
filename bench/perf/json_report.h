// SPDX-License-Identifier: Apache-2.0
// The same results as JSON (-J), with the keys of nccl-tests' file and what is needed to run it again.
#pragma once

#include <string>

#include "bench/perf/report.h"
#include "src/base/result.h"

namespace atl::perf {

/// Gathers rows; `write` puts the file in place at once (written beside it and renamed), so that a reader never sees
/// half.
class JsonReport {
 public:
  JsonReport(std::string_view program, Library library, const Options& options, std::vector<RankInfo> ranks);
  void add(const Row& row) { rows_.push_back(row); }
  [[nodiscard]] std::string text(const Totals& totals) const;
  [[nodiscard]] Status write(const std::string& path, const Totals& totals) const;

 private:
  std::string program_;
  Library library_;
  Options options_;
  std::vector<RankInfo> ranks_;
  std::vector<Row> rows_;
};

}  // namespace atl::perf
