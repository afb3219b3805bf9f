// SPDX-License-Identifier: Apache-2.0
#include "src/plan/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/plan/level_price.h"
#include "src/plan/price.h"

namespace atl::plan {
namespace {

std::string formatBytes(std::uint64_t bytes) {
  constexpr std::uint64_t kKibi = 1024;
  const auto whole = [&](std::uint64_t unit) { return bytes >= unit && bytes % unit == 0; };
  if (whole(kKibi * kKibi * kKibi)) return fmt::format("{} GiB", bytes / (kKibi * kKibi * kKibi));
  if (whole(kKibi * kKibi)) return fmt::format("{} MiB", bytes / (kKibi * kKibi));
  if (whole(kKibi)) return fmt::format("{} KiB", bytes / kKibi);
  return fmt::format("{} B", bytes);
}

std::string formatSeconds(double seconds) {
  if (seconds < 1e-3) return fmt::format("{:.3g} µs", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} s", seconds);
}

/// What the prediction is made of, where all ranks are joined alike.
std::string partsOf(const Algorithm& algorithm, const Choice& choice, const LinkModel& model) {
  const Cost cost = costOf(algorithm, choice);
  const Price price = priceOf(algorithm, choice, model);
  const Work& work = price.shared ? cost.all : cost.busiest;
  return fmt::format("{:.4g} rounds {}; {}: {:.4g} messages {}, {:.4g} B {}, {:.4g} B reduced {}", cost.rounds,
                     formatSeconds(price.rounds), price.shared ? "all ranks on their cores" : "busiest rank",
                     work.messages, formatSeconds(price.messages), std::max(work.sent, work.received),
                     formatSeconds(price.bytes), work.reduced, formatSeconds(price.reduced));
}

/// "two-shot in, one-shot out", or of the outermost level "ring".
std::string namesOf(const LevelAlgorithms& level) {
  const auto name = [](const Algorithm* algorithm) { return algorithm == nullptr ? "nothing" : algorithm->name; };
  return level.outward == nullptr ? std::string(name(level.inward))
                                  : fmt::format("{} in, {} out", name(level.inward), name(level.outward));
}

/// Likewise over the levels of a site.
std::string partsOverLevels(const Algorithm& algorithm, const Choice& choice, const SiteModel& site) {
  const LevelsPrice price = priceOverLevels(algorithm, choice, site);
  std::string text;
  for (std::size_t l = 0; l < price.levels.size(); ++l) {
    const LevelTime& level = price.levels[l];
    text +=
        fmt::format("{}: {}{}{} in rounds, {} by {}; ", site.levels()[l].name,
                    price.algorithms.empty() ? "" : namesOf(price.algorithms[l]), price.algorithms.empty() ? "" : ", ",
                    formatSeconds(level.rounds), formatSeconds(std::max(level.work, level.uplink)),
                    level.uplink > level.work ? "its uplinks" : "the busiest rank");
  }
  text += fmt::format("{} reduced; ", formatSeconds(price.reduced));
  if (price.shared) return text + "the cores that ranks share take longest";
  const auto slowest = static_cast<std::size_t>(price.bottleneck());
  return text + fmt::format("{} takes longest", site.levels()[slowest].name);
}

}  // namespace

std::string explain(const Choice& choice, const Decision& decision, const SiteModel& site) {
  std::string text = fmt::format("{} {}{}:", nameOf(choice.collective), formatBytes(choice.bytes), needsOf(choice));
  const auto& ranked = decision.ranked;
  if (ranked.empty()) return text + " no algorithm";
  const Candidate& best = ranked.front();
  text += fmt::format(" {} {}", best.algorithm->name, formatSeconds(best.seconds));
  if (decision.by == Decision::By::table) {
    text += fmt::format(", measured at {} on {}", formatBytes(decision.row->bytes), describe(decision.tuned->site));
  } else {
    text += fmt::format(" ({})", site.hasLevels() ? partsOverLevels(*best.algorithm, choice, site)
                                                  : partsOf(*best.algorithm, choice, site.link()));
  }
  if (decision.by == Decision::By::user) text += ", forced";
  for (std::size_t i = 1; i < ranked.size(); ++i) {
    text +=
        fmt::format("{} {} {}", i == 1 ? "; then" : ",", ranked[i].algorithm->name, formatSeconds(ranked[i].seconds));
  }
  if (decision.by == Decision::By::table) {
    text += decision.ofModel == best.algorithm ? "; so does the cost model"
                                               : fmt::format("; the cost model would take {}", decision.ofModel->name);
  }
  return text;
}

}  // namespace atl::plan
