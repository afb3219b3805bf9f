// SPDX-License-Identifier: Apache-2.0
#include "src/plan/chooser.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace atl::plan {
namespace {

Cost costOf(const Algorithm& algorithm, const Choice& choice) {
  const auto bytes = static_cast<double>(choice.bytes);
  return algorithm.cost(CostQuery{choice.collective, choice.ranks, bytes,
                                  static_cast<double>(tilesFor(algorithm.tileable, choice.bytes, choice.tileBytes))});
}

/// A predicted time in its parts, for the sum and for its explanation. Seconds.
struct Price {
  double rounds = 0;
  double messages = 0;
  double bytes = 0;
  double reduced = 0;
  bool shared = false;  ///< the work is that of all ranks on the cores that there are, not the busiest rank's

  [[nodiscard]] double work() const { return messages + bytes + reduced; }
  [[nodiscard]] double total() const { return rounds + work(); }
};

/// The price of work; `share` is how much of it one core does.
Price priceOf(const Work& work, double meeting, const LinkModel& model, double share) {
  const double bytes = model.memory ? work.posted * model.perPostedByte + work.received * model.perByte
                                    : std::max(work.sent, work.received) * model.perByte *
                                          (1 + model.incast * (1 - 1 / std::max(1.0, meeting)));
  return {0, work.messages * model.perMessage * share, bytes * share, work.reduced * model.perReducedByte * share};
}

Price priceOf(const Algorithm& algorithm, const Choice& choice, const LinkModel& model) {
  const Cost cost = costOf(algorithm, choice);
  const Price busiest = priceOf(cost.busiest, cost.meeting, model, 1);
  Price shared = priceOf(cost.all, cost.meeting, model, model.ranksPerCore / choice.ranks);
  shared.shared = true;
  Price price = shared.work() > busiest.work() ? shared : busiest;
  if (!algorithm.tileable && choice.bytes > LinkModel::kCachedBytes) {
    price.bytes *= model.untiled;
    price.reduced *= model.untiled;
  }
  // Every message is posted once and taken once.
  const double message = cost.all.messages > 0 ? 2 * cost.all.sent / cost.all.messages : 0;
  const bool bulk = message > static_cast<double>(model.inlined);
  price.rounds = cost.rounds * (model.latency + (bulk ? model.bulkLatency : 0));
  return price;
}

bool canServe(const Algorithm& algorithm, const Choice& choice) {
  return algorithm.serves(choice.collective, choice.ranks, choice.ordered) &&
         (algorithm.unequalBlocks || !choice.unequalBlocks);
}

/// Whether there is any group for which the algorithm has a plan of the collective. Two ranks, operands in any order,
/// are the easiest to serve.
bool everServes(const Algorithm& algorithm, Collective collective) {
  return algorithm.serves(collective, 2, false);
}

/// Names of the algorithms that pass a test, for error texts.
template <class Predicate>
std::string namesOf(Predicate&& passes) {
  std::vector<std::string_view> names;
  for (const Algorithm& algorithm : catalogue()) {
    if (passes(algorithm)) names.push_back(algorithm.name);
  }
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string namesOfCollectives() {
  std::vector<std::string_view> names;
  for (int c = 0; c < kCollectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    if (namesOf([&](const Algorithm& a) { return everServes(a, collective); }) != "none")
      names.push_back(nameOf(collective));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// What the call needs beyond its collective: " on 6 ranks in rank order over unequal blocks".
std::string needsOf(const Choice& choice) {
  return fmt::format(" on {} rank{}{}{}", choice.ranks, choice.ranks == 1 ? "" : "s",
                     choice.ordered ? " in rank order (the operator does not commute)" : "",
                     choice.unequalBlocks ? " over unequal blocks" : "");
}

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

}  // namespace

Result<ForcedAlgorithms> ForcedAlgorithms::parse(std::string_view text) {
  struct Rule {
    std::optional<Collective> collective;  ///< none: every collective that the algorithm has a plan for
    const Algorithm* algorithm;
  };
  std::vector<Rule> rules;
  for (std::string_view rest = trimmed(text); !rest.empty();) {
    const auto comma = rest.find(',');
    const std::string_view item = trimmed(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const auto colon = item.find(':');
    const std::string_view name = colon == std::string_view::npos ? item : trimmed(item.substr(colon + 1));
    Rule rule{std::nullopt, algorithmNamed(name)};
    if (rule.algorithm == nullptr) {
      return makeError(ErrorCode::invalidArgument, "no algorithm is called '{}'; there are {}", name,
                       namesOf([](const Algorithm&) { return true; }));
    }
    if (colon != std::string_view::npos) {
      const std::string_view collective = trimmed(item.substr(0, colon));
      rule.collective = collectiveNamed(collective);
      if (!rule.collective) {
        return makeError(ErrorCode::invalidArgument, "no collective is called '{}'; there are {}", collective,
                         namesOfCollectives());
      }
      if (!everServes(*rule.algorithm, *rule.collective)) {
        return makeError(ErrorCode::invalidArgument, "algorithm '{}' does not serve {}; these do: {}", name,
                         nameOf(*rule.collective),
                         namesOf([&](const Algorithm& a) { return everServes(a, *rule.collective); }));
      }
    }
    rules.push_back(rule);
  }

  ForcedAlgorithms forced;
  for (const Rule& rule : rules) {
    for (int c = 0; c < kCollectives && !rule.collective; ++c) {
      if (everServes(*rule.algorithm, static_cast<Collective>(c))) {
        forced.byCollective_[static_cast<std::size_t>(c)] = rule.algorithm;
      }
    }
  }
  for (const Rule& rule : rules) {
    if (rule.collective) forced.byCollective_[static_cast<std::size_t>(*rule.collective)] = rule.algorithm;
  }
  return forced;
}

const Algorithm* ForcedAlgorithms::forCollective(Collective collective) const {
  return byCollective_[static_cast<std::size_t>(collective)];
}

Result<std::vector<Candidate>> rank(const Choice& choice, const LinkModel& model, const ForcedAlgorithms& forced) {
  const auto able = [&](const Algorithm& algorithm) { return canServe(algorithm, choice); };
  if (const Algorithm* wanted = forced.forCollective(choice.collective); wanted != nullptr) {
    if (!able(*wanted)) {
      return makeError(ErrorCode::unsupported, "the forced algorithm '{}' cannot serve {}{}; these can: {}",
                       wanted->name, nameOf(choice.collective), needsOf(choice), namesOf(able));
    }
    return std::vector{Candidate{wanted, predict(*wanted, choice, model)}};
  }
  std::vector<Candidate> candidates;
  for (const Algorithm& algorithm : catalogue()) {
    // The model knows no levels yet: hierarchical plans are for those who force them.
    if (able(algorithm) && !algorithm.hierarchical)
      candidates.push_back({&algorithm, predict(algorithm, choice, model)});
  }
  if (candidates.empty()) {
    return makeError(ErrorCode::unsupported, "no algorithm serves {}{}", nameOf(choice.collective), needsOf(choice));
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.seconds < b.seconds; });
  return candidates;
}

double predict(const Algorithm& algorithm, const Choice& choice, const LinkModel& model) {
  return priceOf(algorithm, choice, model).total();
}

Result<Decision> decide(const Choice& choice, const LinkModel& model, const ForcedAlgorithms& forced,
                        const TunedSite* tuned) {
  Decision decision;
  ATOLL_ASSIGN(decision.ranked, rank(choice, model, forced));
  if (forced.forCollective(choice.collective) != nullptr) {
    decision.by = Decision::By::user;
    return decision;
  }
  decision.ofModel = decision.ranked.front().algorithm;
  const TuningRow* const row = tuned == nullptr ? nullptr : tuned->rowFor(choice.collective, choice.bytes);
  if (row == nullptr) return decision;
  std::vector<Candidate> measured;
  for (const MeasuredTime& time : row->times) {
    if (canServe(*time.algorithm, choice)) measured.push_back({time.algorithm, time.seconds});
  }
  if (measured.empty()) return decision;
  decision.by = Decision::By::table;
  decision.ranked = std::move(measured);
  decision.row = row;
  decision.tuned = tuned;
  return decision;
}

std::string explain(const Choice& choice, const Decision& decision, const LinkModel& model) {
  std::string text = fmt::format("{} {}{}:", nameOf(choice.collective), formatBytes(choice.bytes), needsOf(choice));
  const auto& ranked = decision.ranked;
  if (ranked.empty()) return text + " no algorithm";
  const Candidate& best = ranked.front();
  text += fmt::format(" {} {}", best.algorithm->name, formatSeconds(best.seconds));
  if (decision.by == Decision::By::table) {
    text += fmt::format(", measured at {} on {}", formatBytes(decision.row->bytes), describe(decision.tuned->site));
  } else {
    const Cost cost = costOf(*best.algorithm, choice);
    const Price price = priceOf(*best.algorithm, choice, model);
    const Work& work = price.shared ? cost.all : cost.busiest;
    text += fmt::format(" ({:.4g} rounds {}; {}: {:.4g} messages {}, {:.4g} B {}, {:.4g} B reduced {})", cost.rounds,
                        formatSeconds(price.rounds), price.shared ? "all ranks on their cores" : "busiest rank",
                        work.messages, formatSeconds(price.messages), std::max(work.sent, work.received),
                        formatSeconds(price.bytes), work.reduced, formatSeconds(price.reduced));
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

std::int32_t tilesFor(bool tileable, std::uint64_t payloadBytes, std::uint64_t tileBytes) {
  if (!tileable || tileBytes == 0 || payloadBytes <= tileBytes) return 1;
  const std::uint64_t tiles = (payloadBytes - 1) / tileBytes + 1;
  return static_cast<std::int32_t>(std::min<std::uint64_t>(tiles, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace atl::plan
