// SPDX-License-Identifier: Apache-2.0
// The chooser: the algorithm that the user forces; else the one that a tuning table says was fastest; else the one that
// the cost model prices lowest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/result.h"
#include "src/plan/algorithm.h"
#include "src/plan/tuning_table.h"

namespace atl::plan {

/// Prices of one class of link: seconds, and seconds per byte. Defaults come from the transport; measurement overrides.
///
///   time = rounds·α + max(work of the busiest rank, work of all ranks / cores)
///   work = messages·μ + bytes·β + reduced·γ
///
/// A message link carries what goes to each peer by itself, in both directions at once, so its bytes are the larger of
/// sent and received, and dearer where several senders meet at one receiver. A memory link's bytes are moved by the
/// ranks' own cores: what is posted once is there for every receiver (π), and each receiver takes it (β).
struct LinkModel {
  double latency = 0;         ///< α: one message from post to use
  double perMessage = 0;      ///< μ: a further message posted or taken in the same round
  double perByte = 0;         ///< β: a byte through a port; of a memory link: a byte taken
  double perReducedByte = 0;  ///< γ

  bool memory = false;        ///< a memory link
  double perPostedByte = 0;   ///< π: a byte posted, however many will take it; memory links only
  std::uint64_t inlined = 0;  ///< messages up to so many bytes travel with their flag …
  double bulkLatency = 0;     ///< … and a round of larger ones takes so much more
  double untiled = 1;  ///< how much dearer bytes are to a plan that takes more than kCachedBytes in one pass: what it
                       ///< wrote has left the cache when it is read
  double incast = 0;   ///< how much dearer β is where very many senders meet at one receiver; message links only
  double ranksPerCore = 1;  ///< at least 1: ranks that share a core, where cores are fewest

  static constexpr std::uint64_t kCachedBytes = 4 << 20;
};

/// What to choose for.
struct Choice {
  Collective collective = Collective::allReduce;
  Rank ranks = 1;
  Rank root = kNoRank;
  std::uint64_t bytes = 0;            ///< payload, nccl-tests' "size"
  bool ordered = false;               ///< the operator does not commute
  bool unequalBlocks = false;         ///< a v-form
  std::uint64_t tileBytes = 1 << 20;  ///< data of one pass of a tileable plan
};

/// One row of the explanation.
struct Candidate {
  const Algorithm* algorithm = nullptr;
  double seconds = 0;  ///< predicted, or measured where a tuning table decides
};

/// A choice, and how it came about.
struct Decision {
  enum class By : std::uint8_t { user, table, model };

  By by = By::model;
  std::vector<Candidate> ranked;       ///< the first is taken; the others are what was passed over, best first
  const TuningRow* row = nullptr;      ///< the row that decided; in the TunedSite that was given
  const TunedSite* tuned = nullptr;    ///< where the row stands
  const Algorithm* ofModel = nullptr;  ///< what the cost model takes, were there no table; null where the user forces

  [[nodiscard]] const Algorithm& algorithm() const { return *ranked.front().algorithm; }
};

/// Rules such as "ring" or "allreduce:ring,broadcast:chain" (the value of ATOLL_ALGO), parsed once. A bare name is for
/// every collective that the algorithm has a plan for, and leaves the others free; a rule for one collective goes
/// before it.
class ForcedAlgorithms {
 public:
  /// Errors name an unknown collective or algorithm, or one that never serves the collective, and list those there are.
  static Result<ForcedAlgorithms> parse(std::string_view text);
  /// The forced algorithm for a collective, or null.
  [[nodiscard]] const Algorithm* forCollective(Collective collective) const;

 private:
  std::vector<const Algorithm*> byCollective_ = std::vector<const Algorithm*>(kCollectives, nullptr);
};

/// Candidates from cheapest to dearest. An error if a forced algorithm cannot serve the call (it says why), or if none
/// can.
Result<std::vector<Candidate>> rank(const Choice& choice, const LinkModel& model, const ForcedAlgorithms& forced);

/// Who decides, and what: a forced algorithm before a table's row, a row before the model. `tuned` is what was measured
/// where the call runs, or null. Of a row the fastest algorithm is taken that can serve the call; where none can, and
/// where no row speaks for the size, the model decides. Errors as of rank().
Result<Decision> decide(const Choice& choice, const LinkModel& model, const ForcedAlgorithms& forced,
                        const TunedSite* tuned);

/// Predicted time of one algorithm.
double predict(const Algorithm& algorithm, const Choice& choice, const LinkModel& model);

/// "allreduce 1 MiB on 8 ranks: two-shot 212 µs (2 rounds 10 µs, …); then ring 388 µs, …", or with a table "allreduce
/// 1 MiB on 8 ranks: two-shot 198 µs, measured at 1 MiB on 8 ranks on 1 host over shm; then ring …; the cost model
/// would take ring" — what ATOLL_DEBUG=plan prints.
std::string explain(const Choice& choice, const Decision& decision, const LinkModel& model);

/// Tiles into which the executor cuts a payload: 1 unless the plan is tileable and the payload exceeds a tile.
std::int32_t tilesFor(bool tileable, std::uint64_t payloadBytes, std::uint64_t tileBytes);

}  // namespace atl::plan
