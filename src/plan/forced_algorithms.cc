// SPDX-License-Identifier: Apache-2.0
#include "src/plan/forced_algorithms.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

namespace atl::plan {
namespace {

/// Whether there is any group for which the algorithm has a plan of the collective. Two ranks, operands in any order,
/// are the easiest to serve.
bool everServes(const Algorithm& algorithm, Collective collective) {
  return algorithm.serves(collective, 2, false);
}

std::string namesOfCollectives() {
  std::vector<std::string_view> names;
  for (int c = 0; c < kCollectives; ++c) {
    const auto collective = static_cast<Collective>(c);
    if (namesOfAlgorithms([&](const Algorithm& a) { return everServes(a, collective); }) != "none")
      names.push_back(nameOf(collective));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
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
                       namesOfAlgorithms([](const Algorithm&) { return true; }));
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
                         namesOfAlgorithms([&](const Algorithm& a) { return everServes(a, *rule.collective); }));
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

}  // namespace atl::plan
