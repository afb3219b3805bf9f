// SPDX-License-Identifier: Apache-2.0
#include "src/comm/choosing.h"

#include <algorithm>

#include "src/plan/explain.h"
#include "src/plan/price.h"

namespace atl {
namespace {

std::string tableOf(const ProcessInfo& process) {
  return process.tuning == 0 ? "no table that can be read" : fmt::format("table {:016x}", process.tuning);
}

/// Two ranks whose processes have different tables, if there are. Ranks that choose by different tables might wait for
/// messages that nobody sends, so this is found before the first is sent.
std::optional<Error> disagreementIn(const Directory& directory) {
  const auto first = Rank{0};
  for (Rank r = 1; r < directory.ranks(); ++r) {
    if (directory.process(r).tuning == directory.process(first).tuning) continue;
    return makeError(ErrorCode::mismatch,
                     "ranks disagree on the tuning table: {} has {}, {} has {}; ATOLL_TUNING has to name the same "
                     "content on every rank, or none",
                     directory.name(first), tableOf(directory.process(first)), directory.name(r),
                     tableOf(directory.process(r)));
  }
  return std::nullopt;
}

}  // namespace

Result<Choosing> Choosing::create(const Settings& settings, const plan::TuningSite& tuningSite,
                                  std::shared_ptr<const plan::SiteModel> site, const Directory& directory) {
  Choosing choosing;
  ATOLL_ASSIGN(choosing.forced_, plan::ForcedAlgorithms::parse(settings.algorithms));
  choosing.site_ = std::move(site);
  choosing.tuningSite_ = tuningSite;
  if (!settings.tuningFile.empty()) {
    auto file = plan::tuningFileAt(settings.tuningFile);
    if (!file.ok()) return std::move(file).error().within("ATOLL_TUNING");
    choosing.file_ = std::move(file).value();
    choosing.tuned_ = choosing.file_->table.at(tuningSite);
  }
  choosing.disagreement_ = disagreementIn(directory);
  return choosing;
}

Result<plan::Decision> Choosing::decide(const plan::Choice& choice) const {
  ATOLL_ASSIGN(plan::Decision decision, plan::decide(choice, *site_, forced_, tuned_));
  if (disagreement_ && decision.by != plan::Decision::By::user) return *disagreement_;
  return decision;
}

double Choosing::secondsOfARound(const plan::Work& work, double largestMessage) const {
  const double latency = work.messages > 0 ? plan::roundSeconds(site_->link(), largestMessage) : 0;
  return latency + plan::priceOfWork(work, 1, site_->link()).work();
}

std::string Choosing::explain(const plan::Choice& choice, const plan::Decision& decision) const {
  std::string text = plan::explain(choice, decision, *site_);
  if (decision.by == plan::Decision::By::table) text += fmt::format(" (tuning table {})", file_->path);
  return text;
}

}  // namespace atl
