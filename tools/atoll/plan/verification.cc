// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/plan/verification.h"

#include <fmt/format.h>

#include <set>

#include "src/plan/verify.h"
#include "tools/atoll/plan/progress_line.h"

namespace atl::tools {
namespace {

/// A question about families that may be answered differently for different ones.
class Answer {
 public:
  void add(bool yes) { (yes ? yes_ : no_) = true; }
  [[nodiscard]] const char* text(const char* yes, const char* no, const char* both) const {
    if (yes_ && no_) return both;
    return yes_ ? yes : (no_ ? no : "-");
  }

 private:
  bool yes_ = false;
  bool no_ = false;
};

/// What all the families of one algorithm and collective came to.
struct Row {
  std::int64_t families = 0;
  std::int64_t messages = 0;
  Answer ordered;
  Answer inPlace;
  Answer unequalBlocks;
  std::string failure;
};

bool provedWith(const std::vector<Plan>& family, bool inPlace, bool unequalBlocks) {
  plan::VerifyOptions options;
  options.inPlace = inPlace;
  options.unequalBlocks = unequalBlocks;
  return plan::verify(family, options).ok();
}

bool hasVForm(Collective c) {
  return c == Collective::allGather || c == Collective::reduceScatter || c == Collective::allToAll;
}

/// The roots worth trying: every one of a small group, the ends and the middle of a larger.
std::set<Rank> rootsFor(Collective collective, Rank ranks) {
  constexpr Rank kSmall = 8;
  if (!isRooted(collective)) return {kNoRank};
  if (ranks > kSmall) return {0, ranks / 2, ranks - 1};
  std::set<Rank> roots;
  for (Rank r = 0; r < ranks; ++r) roots.insert(r);
  return roots;
}

/// Proves the families of one number of ranks; stops at the first that is rejected.
void prove(const plan::Algorithm& algorithm, Collective collective, Rank ranks, Row& row) {
  for (const Rank root : rootsFor(collective, ranks)) {
    for (const std::int32_t shares : {1, 2}) {
      std::vector<Plan> family;
      for (Rank r = 0; r < ranks; ++r) family.push_back(algorithm.generate({collective, ranks, r, root, shares}));
      const auto proof = plan::verify(family);
      if (!proof.ok()) {
        row.failure = fmt::format("{} ranks{}, shares {}: {}", ranks,
                                  root == kNoRank ? "" : fmt::format(", root {}", root), shares, proof.error().text);
        return;
      }
      ++row.families;
      row.messages += proof->messages;
      if (isReducing(collective) && ranks > 1) row.ordered.add(proof->ordered);
      if (collective != Collective::barrier && ranks > 1) row.inPlace.add(provedWith(family, true, false));
      if (hasVForm(collective) && ranks > 1) row.unequalBlocks.add(provedWith(family, false, true));
    }
  }
}

void printHeader() {
  fmt::print("{:<20} {:<14} {:>6} {:>9} {:>10}  {:<8} {:<9} {:<8} {}\n", "algorithm", "collective", "ranks", "families",
             "messages", "order", "in place", "v-form", "result");
}

void print(const plan::Algorithm& algorithm, Collective collective, Rank maxRanks, const Row& row) {
  fmt::print("{:<20} {:<14} {:>6} {:>9} {:>10}  {:<8} {:<9} {:<8} {}\n", algorithm.name, nameOf(collective),
             fmt::format("1..{}", maxRanks), row.families, row.messages, row.ordered.text("ranks'", "own", "varies"),
             row.inPlace.text("direct", "snapshot", "varies"), row.unequalBlocks.text("yes", "no", "varies"),
             row.failure.empty() ? "proved" : "REJECTED: " + row.failure);
}

}  // namespace

Status verifyFamily(const std::vector<Plan>& family) {
  ATOLL_ASSIGN(const plan::Proof proof, plan::verify(family));
  const Plan& first = family.front();
  const Collective collective = first.collective;
  fmt::print("{} by {} on {} ranks{}: proved\n", nameOf(collective), first.algorithm, first.ranks,
             first.root == kNoRank ? "" : fmt::format(", root {}", first.root));
  fmt::print("  steps      {}\n  messages   {}\n", proof.steps, proof.messages);
  fmt::print("  rounds     {} (longest chain of messages)\n", proof.rounds);
  fmt::print("  scratch    {} slots at most\n", proof.scratchUsed);
  if (isReducing(collective)) {
    fmt::print("  order      {}\n",
               proof.ordered ? "rank order: fit for operators that do not commute" : "the plan's own");
  }
  if (collective != Collective::barrier) {
    fmt::print("  in place   {}\n", provedWith(family, true, false) ? "direct" : "needs a snapshot of the input");
  }
  if (hasVForm(collective)) {
    fmt::print("  v-form     {}\n",
               provedWith(family, false, true) ? "blocks may differ in size" : "equal blocks only");
  }
  return success();
}

Result<bool> verifyCatalogue(const SweepOptions& options) {
  std::set<Collective> collectives;
  for (int c = 0; c < kCollectives; ++c) collectives.insert(static_cast<Collective>(c));
  collectives.erase(Collective::pointToPoint);
  if (!options.collective.empty()) {
    ATOLL_ASSIGN(const Collective only, collectiveFrom(options.collective));
    collectives = {only};
  }
  const plan::Algorithm* onlyAlgorithm = nullptr;
  if (!options.algorithm.empty()) {
    ATOLL_ASSIGN(onlyAlgorithm, algorithmFrom(options.algorithm));
  }
  std::vector<std::pair<const plan::Algorithm*, Collective>> pairings;
  for (const plan::Algorithm& algorithm : plan::catalogue()) {
    if (onlyAlgorithm && onlyAlgorithm != &algorithm) continue;
    for (const Collective c : collectives) {
      if (servesSomewhere(algorithm, c)) pairings.emplace_back(&algorithm, c);
    }
  }
  if (pairings.empty()) {
    return makeError(ErrorCode::invalidArgument, "--algo {}: does not serve {}", options.algorithm, options.collective);
  }

  ProgressLine progress;
  std::int64_t families = 0;
  std::int64_t rejected = 0;
  printHeader();
  for (std::size_t i = 0; i < pairings.size(); ++i) {
    const auto& [algorithm, collective] = pairings[i];
    Row row;
    for (Rank ranks = 1; ranks <= options.maxRanks && row.failure.empty(); ++ranks) {
      // The work of a number of ranks grows with about its square.
      const double within = static_cast<double>(ranks) / options.maxRanks;
      progress.update((static_cast<double>(i) + within * within) / static_cast<double>(pairings.size()),
                      fmt::format("{} {} on {} ranks", algorithm->name, nameOf(collective), ranks));
      if (algorithm->serves(collective, ranks, false)) prove(*algorithm, collective, ranks, row);
    }
    progress.clear();
    print(*algorithm, collective, options.maxRanks, row);
    families += row.families;
    if (!row.failure.empty()) ++rejected;
  }
  fmt::print("{} families proved{}\n", families, rejected == 0 ? "" : fmt::format(", {} rows rejected", rejected));
  return rejected == 0;
}

}  // namespace atl::tools
