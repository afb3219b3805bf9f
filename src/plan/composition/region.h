// SPDX-License-Identifier: Apache-2.0
// Which parts of a payload something is about, however they lie.
#pragma once

#include <cstdint>
#include <vector>

namespace atl::plan {

/// Consecutive parts of the payload.
struct PartRun {
  std::int64_t first = 0;
  std::int64_t count = 0;

  friend bool operator==(const PartRun&, const PartRun&) = default;
};

/// Parts in ascending order, in as few runs as there can be.
class Region {
 public:
  Region() = default;
  static Region of(std::int64_t first, std::int64_t count);

  /// Adds parts that come after all others.
  void append(const PartRun& run);

  [[nodiscard]] const std::vector<PartRun>& runs() const { return runs_; }
  [[nodiscard]] bool empty() const { return runs_.empty(); }
  [[nodiscard]] std::int64_t total() const { return total_; }

  /// The `count` parts that follow the first `begin` of them, run by run.
  [[nodiscard]] std::vector<PartRun> cut(std::int64_t begin, std::int64_t count) const;

  /// How many parts come before this one, which it has.
  [[nodiscard]] std::int64_t offsetOf(std::int64_t part) const;

  /// What is in any of them; no part is in two.
  static Region unite(const std::vector<Region>& regions);

 private:
  std::vector<PartRun> runs_;
  std::vector<std::int64_t> before_;  ///< by run: parts in the runs before it
  std::int64_t total_ = 0;
};

}  // namespace atl::plan
