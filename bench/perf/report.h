// SPDX-License-Identifier: Apache-2.0
// The text on standard output, in the columns of nccl-tests, so that what reads theirs reads ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/perf/options.h"
#include "bench/perf/statistics.h"

namespace atl::perf {

/// What is measured.
struct Library {
  std::string name;     ///< "Atoll"
  std::string version;  ///< "0.1.0"
};

/// A rank as the header shows it.
struct RankInfo {
  int rank = 0;
  int process = 0;
  std::int64_t pid = 0;
  std::string host;
  int device = -1;  ///< -1: host memory
};

struct Row {
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;
  DataType type = DataType::float32;
  std::optional<Reduction> reduction;  ///< none: the collective does not reduce
  int root = -1;                       ///< -1: the collective has no root
  std::optional<Measurement> outOfPlace;
  std::optional<Measurement> inPlace;  ///< none: the collective has no such form
};

/// The totals of the footer.
class Totals {
 public:
  void add(const Row& row);
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }
  [[nodiscard]] bool ok() const { return wrong_ == 0; }
  /// Mean of the bus bandwidths of all measurements, in 1e9 bytes a second.
  [[nodiscard]] double averageBusGBps() const { return measurements_ == 0 ? 0 : busGBps_ / measurements_; }

 private:
  std::uint64_t wrong_ = 0;
  double busGBps_ = 0;
  int measurements_ = 0;
};

/// Each gives whole lines, with their ends.
std::string headerText(std::string_view program, const Library& library, const Options& options,
                       const std::vector<RankInfo>& ranks);
std::string columnText(const Options& options);
std::string rowText(const Row& row);
/// The line below a row with the spread of its iterations.
std::string spreadText(const Row& row);
std::string footerText(const Totals& totals);

}  // namespace atl::perf
