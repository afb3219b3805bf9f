// SPDX-License-Identifier: Apache-2.0
// A tuning table: how long each algorithm took where the user measured it (`atoll tune`), for the chooser to go by
// instead of the cost model. Its outside form is JSON, docs/tuning.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/plan/algorithm.h"

namespace atl::plan {

/// Where calls run, as far as their speed goes: what a measurement holds for.
struct TuningSite {
  Rank ranks = 1;
  Rank hosts = 1;
  std::string links;  ///< names of the transports between the ranks, "shm" or "shm+tcp"; here they are only names

  friend bool operator==(const TuningSite&, const TuningSite&) = default;
};

/// "4 ranks on 1 host over shm".
std::string describe(const TuningSite& site);

struct MeasuredTime {
  const Algorithm* algorithm = nullptr;
  double seconds = 0;  ///< median time of a call
};

/// What was measured at one size.
struct TuningRow {
  std::uint64_t bytes = 0;          ///< payload, as Choice::bytes
  std::vector<MeasuredTime> times;  ///< fastest first, at least one
};

/// All that was measured at one site.
struct TunedSite {
  TuningSite site;
  std::string measured;                                     ///< when, by what and on what machine, for people
  std::array<std::vector<TuningRow>, kCollectives> rows{};  ///< by collective, in order of size

  [[nodiscard]] const std::vector<TuningRow>& of(Collective collective) const {
    return rows[static_cast<std::size_t>(collective)];
  }
  /// The row for a payload: the nearest measured size in ratio, the smaller one of two that are equally near. Null
  /// where the collective was not measured, or only at sizes more than kReach times smaller or larger.
  [[nodiscard]] const TuningRow* rowFor(Collective collective, std::uint64_t bytes) const;

  /// How far beyond the smallest and the largest size a measurement still speaks.
  static constexpr double kReach = 16;
};

class TuningTable {
 public:
  /// Reads a document. Strict: a wrong format or version, an unknown key, collective or algorithm, a time that is none,
  /// sizes out of order, a site that comes twice are errors naming the field and its value.
  static Result<TuningTable> fromJson(std::string_view text);
  [[nodiscard]] std::string toJson() const;

  [[nodiscard]] const std::vector<TunedSite>& sites() const { return sites_; }
  /// What was measured at exactly this site, or null.
  [[nodiscard]] const TunedSite* at(const TuningSite& site) const;
  /// Adds a site, in the place of what was known of it.
  void put(TunedSite site);

 private:
  std::vector<TunedSite> sites_;
};

}  // namespace atl::plan
