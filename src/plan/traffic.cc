// SPDX-License-Identifier: Apache-2.0
#include "src/plan/traffic.h"

#include <algorithm>

#include "src/plan/composition/exchange.h"
#include "src/plan/composition/section.h"

namespace atl::plan {
namespace {

/// Of a large group, so many ranks are looked at.
constexpr Rank kSampled = 8;
/// Rounds that are told apart; plans of more repeat themselves.
constexpr std::int32_t kRounds = 512;

/// What leaves and comes in.
struct Crossing {
  double out = 0;
  double in = 0;
};

using Crossings = std::vector<std::vector<Crossing>>;  // by level that joins sender and receiver, and by round

void add(Work& sum, const Work& work, double times = 1) {
  sum.messages += times * work.messages;
  sum.sent += times * work.sent;
  sum.posted += times * work.posted;
  sum.received += times * work.received;
  sum.reduced += times * work.reduced;
}

class Walk {
 public:
  Walk(const Plan& plan, const Hierarchy& hierarchy) : plan_(plan), hierarchy_(hierarchy) {
    traffic_.levels.resize(static_cast<std::size_t>(hierarchy.levels()));
    rounds_.resize(traffic_.levels.size());
    posted_.resize(traffic_.levels.size());
    crossings_.resize(traffic_.levels.size());
    senders_.resize(traffic_.levels.size());
  }

  Traffic run() {
    for (const Lane& lane : plan_.lanes) {
      std::ranges::fill(rounds_, 0);
      round_ = 0;
      for (const Loop& loop : lane.loops) {
        for (std::int32_t k = 0; k < loop.repeat; ++k) {
          for (const Round& round : loop.rounds) walk(round, k);
        }
      }
      if (sum(rounds_) <= traffic_.rounds()) continue;
      for (std::size_t l = 0; l < rounds_.size(); ++l) traffic_.levels[l].rounds = rounds_[l];
    }
    for (std::size_t l = 0; l < senders_.size(); ++l) {
      std::ranges::sort(senders_[l]);
      const auto end = std::unique(senders_[l].begin(), senders_[l].end());
      traffic_.levels[l].senders = static_cast<double>(end - senders_[l].begin());
    }
    return std::move(traffic_);
  }

  /// After run().
  [[nodiscard]] const Crossings& crossings() const { return crossings_; }

 private:
  static double sum(const std::vector<double>& values) {
    double total = 0;
    for (const double value : values) total += value;
    return total;
  }

  void walk(const Round& round, std::int32_t k) {
    int outermost = -1;
    for (const Step& step : round.steps) {
      const double bytes = bytesOf(step.chunk);
      if (step.kind == Step::Kind::send) {
        std::ranges::fill(posted_, 0);
        for (const Peer& peer : step.to) {
          const int level = levelOf(peer, k);
          outermost = std::max(outermost, level);
          Work& work = at(level).work;
          work.messages += 1;
          work.sent += bytes;
          crossing(level).out += bytes;
          if (posted_[static_cast<std::size_t>(level)] == 0) work.posted += bytes;
          posted_[static_cast<std::size_t>(level)] = 1;
        }
        continue;
      }
      const bool folds = step.operands.size() > 1;
      for (const Operand& operand : step.operands) {
        if (folds || !operand.isPeer()) traffic_.reduced += bytes;
        if (!operand.isPeer()) continue;
        const int level = levelOf(*operand.peer, k);
        outermost = std::max(outermost, level);
        senders_[static_cast<std::size_t>(level)].push_back(atRepetition(*operand.peer, k, plan_.ranks));
        at(level).work.messages += 1;
        at(level).work.received += bytes;
        crossing(level).in += bytes;
      }
    }
    if (outermost >= 0) rounds_[static_cast<std::size_t>(outermost)] += 1;
    ++round_;
  }

  [[nodiscard]] double bytesOf(const Chunk& chunk) const {
    return plan_.collective == Collective::barrier
               ? 0
               : static_cast<double>(chunk.span) / (static_cast<double>(plan_.shares) * chunk.parts);
  }
  [[nodiscard]] int levelOf(const Peer& peer, std::int32_t k) const {
    return hierarchy_.commonLevel(plan_.rank, atRepetition(peer, k, plan_.ranks));
  }
  Traffic::Level& at(int level) { return traffic_.levels[static_cast<std::size_t>(level)]; }

  Crossing& crossing(int level) {
    auto& rounds = crossings_[static_cast<std::size_t>(level)];
    const auto here = static_cast<std::size_t>(round_ % kRounds);
    if (rounds.size() <= here) rounds.resize(here + 1);
    return rounds[here];
  }

  const Plan& plan_;
  const Hierarchy& hierarchy_;
  Traffic traffic_;
  Crossings crossings_;
  std::int32_t round_ = 0;                  ///< in the lane at hand
  std::vector<double> rounds_;              ///< of the lane at hand
  std::vector<std::uint8_t> posted_;        ///< of the send at hand
  std::vector<std::vector<Rank>> senders_;  ///< by level; of every message
};

/// All ranks; or some of the member of the outermost level where the root is.
std::vector<Rank> ranksToWalk(const Hierarchy& hierarchy, Rank root) {
  std::vector<Rank> chosen;
  if (hierarchy.ranks() <= kMostWalked) {
    for (Rank r = 0; r < hierarchy.ranks(); ++r) chosen.push_back(r);
    return chosen;
  }
  const Rank guest = root == kNoRank ? hierarchy.rankAt(0) : root;
  const int level = std::max(0, hierarchy.levels() - 2);
  const GroupRanks member = hierarchy.ranksOf(level, hierarchy.groupOf(level, guest));
  const Rank some = std::min(kSampled, member.size());
  for (Rank i = 0; i < some; ++i) chosen.push_back(member[static_cast<Rank>(std::int64_t{i} * member.size() / some)]);
  if (root != kNoRank && std::ranges::find(chosen, root) == chosen.end()) chosen.push_back(root);
  return chosen;
}

bool alike(const Traffic& a, const Traffic& b) {
  const auto same = [](const Work& x, const Work& y) {
    return x.messages == y.messages && x.sent == y.sent && x.posted == y.posted && x.received == y.received;
  };
  return a.reduced == b.reduced && std::ranges::equal(a.levels, b.levels, [&](const auto& x, const auto& y) {
           return x.rounds == y.rounds && same(x.work, y.work);
         });
}

/// What the ranks of one member of a level send out of it and take in, round by round.
class MemberLoad {
 public:
  void add(const std::vector<Crossing>& rounds) {
    if (rounds_.size() < rounds.size()) rounds_.resize(rounds.size());
    for (std::size_t r = 0; r < rounds.size(); ++r) {
      rounds_[r].out += rounds[r].out;
      rounds_[r].in += rounds[r].in;
    }
  }

  [[nodiscard]] UplinkLoad load(double times) const {
    Crossing all;
    double inTurn = 0;
    for (const Crossing& round : rounds_) {
      all.out += round.out;
      all.in += round.in;
      inTurn += std::max(round.out, round.in);
    }
    return {times * std::max(all.out, all.in), times * inTurn, 0};
  }

 private:
  std::vector<Crossing> rounds_;
};

/// Of the busiest member of the level where every rank was walked; else of the one member of which ranks were, as if
/// all of its ranks did what those do on average.
UplinkLoad uplinkLoad(int level, const std::vector<Rank>& walked, const std::vector<Crossings>& crossings,
                      const Hierarchy& hierarchy) {
  const bool all = static_cast<Rank>(walked.size()) == hierarchy.ranks();
  const auto memberOf = [&](Rank rank) {
    return level == 0 ? hierarchy.placeOf(rank) : hierarchy.groupOf(level - 1, rank);
  };
  std::map<std::int32_t, MemberLoad> members;
  for (std::size_t i = 0; i < walked.size(); ++i) {
    MemberLoad& member = members[all ? memberOf(walked[i]) : 0];
    const int outermost = level == 0 ? 0 : hierarchy.levels() - 1;
    for (int l = level; l <= outermost; ++l) member.add(crossings[i][static_cast<std::size_t>(l)]);
  }
  const double ranks = level == 0 ? 1 : hierarchy.ranksOf(level - 1, memberOf(walked.front())).size();
  const double times = all ? 1 : ranks / static_cast<double>(walked.size());
  UplinkLoad most;
  for (const auto& [number, member] : members) {
    const UplinkLoad load = member.load(times);
    most = {std::max(most.fuller, load.fuller), std::max(most.inTurn, load.inTurn), 0};
  }
  return most;
}

/// Through an uplink of the level comes what outer levels join, too; the ranks' own ports carry their level alone.
double mostSenders(int level, const std::vector<Traffic>& traffics) {
  double most = 0;
  for (const Traffic& traffic : traffics) {
    const auto outermost = level == 0 ? std::size_t{0} : traffic.levels.size() - 1;
    double senders = 0;
    for (auto l = static_cast<std::size_t>(level); l <= outermost; ++l) senders += traffic.levels[l].senders;
    most = std::max(most, senders);
  }
  return most;
}

}  // namespace

Work Traffic::work() const {
  Work all;
  for (const Level& level : levels) add(all, level.work);
  all.reduced = reduced;
  return all;
}

double Traffic::rounds() const {
  double all = 0;
  for (const Level& level : levels) all += level.rounds;
  return all;
}

Traffic trafficOf(const Plan& plan, const Hierarchy& hierarchy) {
  return Walk(plan, hierarchy).run();
}

Footprint footprintOf(const Algorithm& algorithm, const PlanRequest& request) {
  const Hierarchy& hierarchy = *request.hierarchy;
  const std::vector<Rank> walked = ranksToWalk(hierarchy, request.root);
  std::vector<Traffic> traffics;
  std::vector<Crossings> crossings;
  Footprint footprint;
  PlanRequest mine = request;
  for (const Rank rank : walked) {
    mine.rank = rank;
    const Plan plan = algorithm.generate(mine);
    if (rank == walked.front()) {
      const bool oneLane = plan.shares == 1 && plan.lanes.size() == 1;
      footprint.keepsNames = oneLane && keepsNames(plan);
      footprint.isStraight = oneLane && isStraight(plan);
    }
    Walk walk(plan, hierarchy);
    traffics.push_back(walk.run());
    crossings.push_back(walk.crossings());
  }
  for (int level = 0; level < hierarchy.levels(); ++level) {
    footprint.uplinks.push_back(uplinkLoad(level, walked, crossings, hierarchy));
    footprint.uplinks.back().senders = mostSenders(level, traffics);
  }
  footprint.mean.levels.resize(static_cast<std::size_t>(hierarchy.levels()));
  const double each = 1 / static_cast<double>(walked.size());
  for (const Traffic& traffic : traffics) {
    for (std::size_t l = 0; l < traffic.levels.size(); ++l) {
      add(footprint.mean.levels[l].work, traffic.levels[l].work, each);
    }
    footprint.mean.reduced += each * traffic.reduced;
    if (std::ranges::none_of(footprint.ranks, [&](const Traffic& known) { return alike(known, traffic); })) {
      footprint.ranks.push_back(traffic);
    }
  }
  return footprint;
}

std::shared_ptr<const Footprint> Footprints::of(const Algorithm& algorithm, Collective collective, Rank root) {
  return on(hierarchy_, {&algorithm, collective, 0, root});
}

std::shared_ptr<const Footprint> Footprints::ofFlat(const Algorithm& algorithm, Collective collective, Rank ranks,
                                                    Rank root) {
  return on(Hierarchy::flat(ranks), {&algorithm, collective, ranks, root});
}

std::shared_ptr<const Footprint> Footprints::on(const Hierarchy& hierarchy, const Key& key) {
  const std::scoped_lock lock(mutex_);
  auto& footprint = known_[key];
  if (footprint == nullptr) {
    const auto& [algorithm, collective, ranks, root] = key;
    PlanRequest request;
    request.collective = collective;
    request.ranks = hierarchy.ranks();
    request.root = root;
    request.hierarchy = &hierarchy;
    footprint = std::make_shared<const Footprint>(footprintOf(*algorithm, request));
  }
  return footprint;
}

}  // namespace atl::plan
