// SPDX-License-Identifier: Apache-2.0
#include "src/plan/level_price.h"

#include <algorithm>

#include "src/plan/phases.h"
#include "src/plan/price.h"

namespace atl::plan {
namespace {

/// Until what `load` tells of a payload is through the slowest uplink of a level, `times` as much.
double uplinkSeconds(const LevelModel& level, const UplinkLoad& load, double payload, double times = 1) {
  const double bytes = load.bytesOf(payload) * times * crowding(level.link, load.senders);
  double seconds = 0;
  for (const double rate : level.uplinks) {
    if (rate > 0) seconds = std::max(seconds, bytes / rate);
  }
  return seconds;
}

double sumOf(const std::vector<LevelTime>& levels) {
  double sum = 0;
  for (const LevelTime& level : levels) sum += level.total();
  return sum;
}

Work scaled(Work work, double bytes, double messages) {
  work.messages *= messages;
  work.sent *= bytes;
  work.posted *= bytes;
  work.received *= bytes;
  work.reduced *= bytes;
  return work;
}

double onPort(const Work& work) {
  return std::max(work.sent, work.received);
}

/// How many times as much the algorithm's formula has on the critical path as any rank does by itself: what ranks of a
/// chain or a tree wait for while others pass it on.
struct CriticalPath {
  double rounds = 1;
  double bytes = 1;
  double messages = 1;
};

CriticalPath criticalPathOf(const Cost& cost, const Footprint& footprint, double payload) {
  double rounds = 0;
  double bytes = 0;
  double messages = 0;
  for (const Traffic& traffic : footprint.ranks) {
    const Work work = traffic.work();
    rounds = std::max(rounds, traffic.rounds());
    bytes = std::max(bytes, onPort(work) * payload);
    messages = std::max(messages, work.messages);
  }
  const auto times = [](double formula, double walked) { return walked > 0 ? std::max(1.0, formula / walked) : 1.0; };
  return {times(cost.rounds, rounds), times(onPort(cost.busiest), bytes), times(cost.busiest.messages, messages)};
}

/// Of a plan that does not look at levels.
LevelsPrice priceOfFlat(const Algorithm& algorithm, const Choice& choice, const SiteModel& site) {
  const auto payload = static_cast<double>(choice.bytes);
  const Cost cost = costOf(algorithm, choice);
  const auto footprint = site.footprints().of(algorithm, choice.collective, choice.root);
  const CriticalPath path = criticalPathOf(cost, *footprint, payload);
  const std::size_t count = site.levels().size();
  const auto priceAt = [&](const Traffic& traffic, std::size_t l, double bytes, double messages) {
    const LinkModel& link = site.levels()[l].link;
    const Price price = priceOfWork(scaled(traffic.levels[l].work, bytes, messages), cost.meeting, link);
    return price.messages + price.bytes * untiledFactor(algorithm, choice, link);
  };
  const auto reducedBy = [&](const Traffic& traffic) {
    const LinkModel& link = site.levels().front().link;
    return traffic.reduced * payload * link.perReducedByte * untiledFactor(algorithm, choice, link);
  };

  LevelsPrice price;
  price.levels.resize(count);
  double busiest = -1;
  double longest = -1;
  for (const Traffic& traffic : footprint->ranks) {
    std::vector<LevelTime> times(count);
    double rounds = 0;
    double work = reducedBy(traffic);
    for (std::size_t l = 0; l < count; ++l) {
      const Work& here = traffic.levels[l].work;
      const double message = here.messages > 0 ? (here.sent + here.received) * payload / here.messages : 0;
      times[l].rounds = traffic.levels[l].rounds * path.rounds * roundSeconds(site.levels()[l].link, message);
      times[l].work = priceAt(traffic, l, payload * path.bytes, path.messages);
      rounds += times[l].rounds;
      work += times[l].work;
    }
    // The rank that waits longest and the one that works most need not be the same.
    for (std::size_t l = 0; l < count && rounds > longest; ++l) price.levels[l].rounds = times[l].rounds;
    for (std::size_t l = 0; l < count && work > busiest; ++l) price.levels[l].work = times[l].work;
    if (work > busiest) price.reduced = reducedBy(traffic);
    longest = std::max(longest, rounds);
    busiest = std::max(busiest, work);
  }
  double rounds = 0;
  double onCores = reducedBy(footprint->mean);
  for (std::size_t l = 0; l < count; ++l) {
    price.levels[l].uplink = uplinkSeconds(site.levels()[l], footprint->uplinks[l], payload);
    rounds += price.levels[l].rounds;
    onCores += priceAt(footprint->mean, l, payload, 1);
  }
  onCores = rounds + onCores * site.link().ranksPerCore;
  price.seconds = sumOf(price.levels) + price.reduced;
  price.shared = onCores > price.seconds;
  price.seconds = std::max(price.seconds, onCores);
  return price;
}

/// The call that a phase's groups make, each for its part of the payload.
Choice choiceOf(const Phase& phase, const Choice& whole) {
  Choice choice;
  choice.collective = phase.collective;
  choice.ranks = phase.members;
  choice.root = isRooted(phase.collective) ? 0 : kNoRank;
  choice.bytes = static_cast<std::uint64_t>(static_cast<double>(whole.bytes) * phase.share);
  choice.tileBytes =
      std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(whole.tileBytes) * phase.share));
  return choice;
}

struct PhasePrice {
  const Algorithm* algorithm = nullptr;
  LevelTime time;
  double reduced = 0;
  double onCores = 0;  ///< of `time.work` and `reduced`, all of which a core does

  [[nodiscard]] double seconds() const { return time.total() + reduced; }
};

PhasePrice priceOf(const Phase& phase, const Algorithm& algorithm, const Choice& whole, std::int32_t strands,
                   const SiteModel& site) {
  const LevelModel& level = site.levels()[static_cast<std::size_t>(phase.level)];
  const Choice choice = choiceOf(phase, whole);
  LinkModel link = level.link;
  link.ranksPerCore = std::max(1.0, link.ranksPerCore * phase.taking);  // the others leave their cores to these
  const Price price = priceOf(algorithm, choice, link);
  PhasePrice result;
  result.algorithm = &algorithm;
  // Whoever waits on a shared core hands it on, so that strands wait one after another.
  result.time.rounds = price.rounds * phase.runs * (link.ranksPerCore > 1 ? strands : 1);
  result.time.work = (price.messages * strands + price.bytes) * phase.runs;
  result.reduced = price.reduced * phase.runs;
  result.onCores = result.time.work + result.reduced;
  // A run's messages pass each member's uplink from and to the rank that owns its slice.
  const auto alone = site.footprints().ofFlat(algorithm, choice.collective, choice.ranks, choice.root);
  result.time.uplink = uplinkSeconds(level, alone->uplinks[0], static_cast<double>(choice.bytes), phase.atOnce);
  return result;
}

const Algorithm*& slotFor(const Phase& phase, std::vector<LevelAlgorithms>& algorithms) {
  LevelAlgorithms& level = algorithms[static_cast<std::size_t>(phase.level)];
  return phase.outward ? level.outward : level.inward;
}

/// Whether composed plans can use the algorithm in a phase: it serves all groups of the level.
bool fits(const Algorithm& algorithm, const Phase& phase, const SiteModel& site) {
  if (algorithm.phases != nullptr) return false;
  const auto served = [&](Rank members) { return members == 1 || algorithm.serves(phase.collective, members, false); };
  if (!std::ranges::all_of(site.hierarchy().memberCounts(phase.level), served)) return false;
  const Rank root = isRooted(phase.collective) ? 0 : kNoRank;
  const auto footprint = site.footprints().ofFlat(algorithm, phase.collective, phase.members, root);
  return phase.packed ? footprint->isStraight : footprint->keepsNames;
}

/// By the cheapest algorithm for the phase.
PhasePrice cheapest(const Phase& phase, const Choice& whole, std::int32_t strands, const SiteModel& site) {
  PhasePrice best;
  for (const Algorithm& algorithm : catalogue()) {
    if (!fits(algorithm, phase, site)) continue;
    const PhasePrice price = priceOf(phase, algorithm, whole, strands, site);
    if (best.algorithm == nullptr || price.seconds() < best.seconds()) best = price;
  }
  return best;
}

/// Of a plan that is composed for the levels.
LevelsPrice priceOfComposed(const Algorithm& algorithm, const Choice& choice, const SiteModel& site) {
  LevelsPrice price;
  price.levels.resize(site.levels().size());
  price.algorithms.resize(site.levels().size());
  double rounds = 0;
  double onCores = 0;
  for (const Phase& phase : algorithm.phases(choice.collective, site.hierarchy())) {
    const PhasePrice its = cheapest(phase, choice, algorithm.strands, site);
    slotFor(phase, price.algorithms) = its.algorithm;
    LevelTime& level = price.levels[static_cast<std::size_t>(phase.level)];
    level.rounds += its.time.rounds;
    level.work += its.time.work;
    level.uplink += its.time.uplink;
    price.reduced += its.reduced;
    rounds += its.time.rounds;
    onCores += its.onCores;
  }
  double longest = 0;
  double all = price.reduced;
  for (const LevelTime& level : price.levels) {
    const double busy = level.total() - level.rounds;
    longest = std::max(longest, busy);
    all += busy;
  }
  // Ranks of a core take turns: while one works within its island, messages of the others are under way.
  const double takingTurns = std::max<double>(algorithm.strands, site.link().ranksPerCore);
  const double busy = longest + (all - longest) / takingTurns;
  price.shared = onCores > busy;
  price.seconds = rounds + std::max(busy, onCores);
  return price;
}

}  // namespace

int LevelsPrice::bottleneck() const {
  const auto longest = std::ranges::max_element(levels, {}, &LevelTime::total);
  return static_cast<int>(longest - levels.begin());
}

LevelsPrice priceOverLevels(const Algorithm& algorithm, const Choice& choice, const SiteModel& site) {
  return algorithm.phases != nullptr ? priceOfComposed(algorithm, choice, site) : priceOfFlat(algorithm, choice, site);
}

}  // namespace atl::plan
