// SPDX-License-Identifier: Apache-2.0
// What a communicator goes by when it chooses an algorithm: the user's rules, the tuning table, the prices of its
// links.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "src/base/settings.h"
#include "src/bootstrap/directory.h"
#include "src/comm/link_table.h"
#include "src/plan/chooser.h"
#include "src/plan/tuning_file.h"

namespace atl {

/// The same on every rank of a communicator, or every rank's decisions are errors that say who differs.
class Choosing {
 public:
  /// Reads ATOLL_ALGO's rules and ATOLL_TUNING's table. Errors name the setting and what is wrong with it.
  static Result<Choosing> create(const Settings& settings, const plan::TuningSite& tuningSite,
                                 std::shared_ptr<const plan::SiteModel> site, const Directory& directory);

  /// The decision, valid as long as this object. An error of rank()'s; or a mismatch, where a table would have a say
  /// and two ranks have different ones.
  [[nodiscard]] Result<plan::Decision> decide(const plan::Choice& choice) const;

  /// Price of a rank's work in one round, whose largest message has so many bytes, by the slowest link that there is.
  [[nodiscard]] double secondsOfARound(const plan::Work& work, double largestMessage) const;

  /// What ATOLL_DEBUG=plan prints.
  [[nodiscard]] std::string explain(const plan::Choice& choice, const plan::Decision& decision) const;

  [[nodiscard]] const plan::TuningSite& tuningSite() const { return tuningSite_; }

 private:
  Choosing() = default;

  std::shared_ptr<const plan::SiteModel> site_;
  plan::ForcedAlgorithms forced_;
  plan::TuningSite tuningSite_;
  std::shared_ptr<const plan::TuningFile> file_;  ///< null: no table
  const plan::TunedSite* tuned_ = nullptr;        ///< in the file: what was measured here, or null
  std::optional<Error> disagreement_;             ///< ranks have different tables
};

}  // namespace atl
