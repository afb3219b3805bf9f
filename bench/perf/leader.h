// SPDX-License-Identifier: Apache-2.0
// What the leader (thread 0 of process 0) shows while the sweep runs: header, progress, rows, footer, JSON file.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/perf/json_report.h"
#include "bench/perf/progress.h"
#include "bench/perf/report.h"

namespace atl::perf {

class Leader {
 public:
  explicit Leader(const Collective& collective) : collective_(collective) {}

  /// Prints the header. `options` are those in force: maxbytes may have been lowered from what `asked` says.
  void begin(const Options& asked, const Options& options, const std::vector<RankInfo>& ranks);
  void sizeBegun(std::uint64_t bytes) { progress_->begin(bytes); }
  void sizeDone(const Row& row);
  /// After each cycle: the footer, and the JSON file with all that was measured so far.
  void cycleDone();
  /// The first failure to write the JSON file.
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  const Collective& collective_;
  Options options_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<JsonReport> json_;
  Totals totals_;
  Status status_ = success();
};

}  // namespace atl::perf
