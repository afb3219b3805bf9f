// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/topo/survey.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "src/topology/clustering.h"
#include "src/topology/units.h"

namespace atl::tools {
namespace {

using plan::Hierarchy;

/// What is taken for another level of links, and how long to measure.
struct Criterion {
  double gap;    ///< between near and far, from which they are two levels
  double clear;  ///< below this, more passes are made: noise may be at work
  int mostPasses;
};
// Messages through memory and through a network differ more than tenfold in time, and some fivefold where cores are
// shared; shared memory itself varies twofold with where the cores are.
constexpr Criterion kLatencies{2.5, 4, 16};
constexpr Criterion kRates{1.8, 1.8, 12};
constexpr int kAlike = 4;  ///< passes in a row that find the same
constexpr double kSure = 3;
constexpr double kLikely = 2;

std::vector<RankPair> pairsAmong(const std::vector<Rank>& ranks) {
  std::vector<RankPair> pairs;
  for (std::size_t a = 0; a < ranks.size(); ++a) {
    for (std::size_t b = a + 1; b < ranks.size(); ++b) pairs.emplace_back(ranks[a], ranks[b]);
  }
  return pairs;
}

template <class DistanceOf>
Distances distancesOf(std::size_t things, DistanceOf distanceOf) {
  Distances distances(things);
  std::size_t i = 0;
  for (std::size_t a = 0; a < things; ++a) {
    for (std::size_t b = a + 1; b < things; ++b) distances.set(a, b, distanceOf(i++));
  }
  return distances;
}

double medianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Three digits: more would be noise.
double rounded(double value) {
  const double unit = std::pow(10, std::floor(std::log10(value)) - 2);
  return std::round(value / unit) * unit;
}
double roundedRate(double rate) {
  return rate > 0 ? parseRate(rateText(rounded(rate))).value() : 0;
}
double roundedTime(double seconds) {
  return seconds > 0 ? parseDuration(durationText(rounded(seconds))).value() : 0;
}

class Surveyor {
 public:
  explicit Surveyor(const LinkTimer& timer) : timer_(timer) {
    for (Rank r = 0; r < timer.ranks(); ++r) all_.push_back(r);
  }

  Result<Survey> run() {
    const auto start = std::chrono::steady_clock::now();
    ATOLL_TRY(findInner());
    ATOLL_TRY(findOuter());
    const Hierarchy tree = Hierarchy::fromGroups(groupOf_, timer_.ranks());
    ATOLL_ASSIGN(std::vector<Level> levels, levelsOf(tree));
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    findings_.insert(findings_.begin(),
                     fmt::format("measured {} links between {} ranks in {:.1f} s", pairs_, timer_.ranks(), seconds));
    ATOLL_ASSIGN(Topology topology, Topology::make("measured", tree, std::move(levels)));
    return Survey{std::move(topology), std::move(findings_)};
  }

 private:
  /// Measures until the islands stay the same and are clear: a machine that does other work at times makes some where
  /// there are none, but others each time. `measure` gives costs, of which the least so far counts and stays in `best`.
  template <class Measure>
  Result<std::vector<Partition>> settledPartitions(std::size_t things, const Criterion& criterion,
                                                   std::vector<double>& best, Measure measure) const {
    std::vector<Partition> found;
    int alike = 0;
    bool clear = false;
    for (int pass = 0; pass < criterion.mostPasses && (alike < kAlike || !clear); ++pass) {
      ATOLL_ASSIGN(const std::vector<double> costs, measure());
      if (pass == 0) best = costs;
      for (std::size_t i = 0; i < costs.size(); ++i) best[i] = std::min(best[i], costs[i]);
      auto now = partitionsOf(distancesOf(things, [&](std::size_t i) { return best[i]; }), criterion.gap);
      alike = std::ranges::equal(now, found, {}, &Partition::groupOf, &Partition::groupOf) ? alike + 1 : 1;
      clear = std::ranges::all_of(now, [&](const Partition& p) { return p.gap >= criterion.clear; });
      found = std::move(now);
    }
    return found;
  }

  /// Islands inside which small messages are quicker.
  Status findInner() {
    const auto pairs = pairsAmong(all_);
    pairs_ += pairs.size();
    ATOLL_ASSIGN(const auto partitions,
                 settledPartitions(all_.size(), kLatencies, latencies_, [&] { return timer_.latencies(pairs); }));
    for (const Partition& partition : partitions) {
      groupOf_.push_back(partition.groupOf);
      tell(partition, "small messages between them take");
    }
    if (partitions.empty()) findings_.emplace_back("small messages take about as long between all ranks");
    return success();
  }

  /// One rank of each innermost island; all where there are no islands.
  [[nodiscard]] std::vector<Rank> representatives() const {
    if (groupOf_.empty()) return all_;
    std::vector<Rank> first;
    for (const Rank r : all_) {
      if (groupOf_.front()[static_cast<std::size_t>(r)] == first.size()) first.push_back(r);
    }
    return first;
  }

  /// Islands of those islands, between which large messages are slower.
  Status findOuter() {
    const std::vector<Rank> first = representatives();
    outerPairs_ = pairsAmong(first);
    pairs_ += outerPairs_.size();
    std::vector<double> perByte;
    const auto measure = [&]() -> Result<std::vector<double>> {
      ATOLL_ASSIGN(std::vector<double> costs, timer_.rates(outerPairs_));
      for (double& cost : costs) cost = 1 / cost;
      return costs;
    };
    ATOLL_ASSIGN(const auto partitions, settledPartitions(first.size(), kRates, perByte, measure));
    for (const double cost : perByte) rates_.push_back(1 / cost);
    if (partitions.empty()) return success();
    // Rates tell more of the outer levels than latencies, which are alike where the same machines stand between.
    if (groupOf_.size() > 1) groupOf_.resize(1);
    std::vector<std::vector<std::uint32_t>> outer;
    for (const Partition& partition : partitions) {
      tell(partition, "large messages between them take");
      std::vector<std::uint32_t> ofRank;
      for (const Rank r : all_) {
        const std::size_t island =
            groupOf_.empty() ? static_cast<std::size_t>(r) : groupOf_.front()[static_cast<std::size_t>(r)];
        ofRank.push_back(partition.groupOf[island]);
      }
      outer.push_back(std::move(ofRank));
    }
    for (auto& numbers : outer) groupOf_.push_back(std::move(numbers));
    return success();
  }

  void tell(const Partition& partition, std::string_view what) {
    std::vector<int> sizes(partition.groups);
    for (const std::uint32_t group : partition.groupOf) ++sizes[group];
    findings_.push_back(fmt::format("{} islands of {}: {} {:.3g} times as long as inside: {}", partition.groups,
                                    fmt::join(sizes, ", "), what, partition.gap, confidenceOf(partition.gap)));
  }

  [[nodiscard]] static std::string nameOfLevel(int level, int levels) {
    if (level + 1 == levels) return "network";
    if (level == 0) return "host";
    return level == 1 && levels == 3 ? "pod" : fmt::format("group-{}", level);
  }

  Result<std::vector<Level>> levelsOf(const Hierarchy& tree) {
    std::vector<Level> levels;
    for (int l = 0; l < tree.levels(); ++l) {
      Level level;
      level.name = nameOfLevel(l, tree.levels());
      std::vector<double> seconds;
      const auto pairs = pairsAmong(all_);
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (tree.commonLevel(pairs[i].first, pairs[i].second) == l) seconds.push_back(latencies_[i]);
      }
      level.latency = roundedTime(medianOf(std::move(seconds)));
      ATOLL_ASSIGN(const double rate, rateOf(tree, l));
      level.bandwidth = roundedRate(rate);
      if (l > 0 && rate > 0) {
        ATOLL_ASSIGN(level.ports, portsInto(tree, l, rate));
      }
      levels.push_back(std::move(level));
    }
    return levels;
  }

  /// Of pairs that this level joins: those that were timed, or two ranks of the first island that has them.
  Result<double> rateOf(const Hierarchy& tree, int level) {
    std::vector<double> rates;
    for (std::size_t i = 0; i < outerPairs_.size(); ++i) {
      if (tree.commonLevel(outerPairs_[i].first, outerPairs_[i].second) == level) rates.push_back(rates_[i]);
    }
    if (!rates.empty()) return medianOf(std::move(rates));
    for (std::int32_t g = 0; g < tree.groups(level); ++g) {
      const auto ranks = tree.ranksOf(level, g);
      for (Rank i = 1; i < ranks.size(); ++i) {
        const RankPair pair{ranks[0], ranks[i]};
        if (tree.commonLevel(pair.first, pair.second) != level) continue;
        ATOLL_ASSIGN(const auto measured, timer_.rates(std::span(&pair, 1)));
        ++pairs_;
        return measured[0];
      }
    }
    return 0.0;
  }

  /// How many links' worth two members of the level exchange when all that is in them sends at once.
  Result<Ports> portsInto(const Hierarchy& tree, int level, double rate) {
    const auto [a, b] = largestTwo(tree, level);
    std::vector<RankPair> pairs;
    const std::int32_t most = std::min(tree.members(level - 1, a), tree.members(level - 1, b));
    for (std::int32_t i = 0; i < most; ++i)
      pairs.emplace_back(firstOf(tree, level - 1, a, i), firstOf(tree, level - 1, b, i));
    const Ports one{1, level - 1};
    if (pairs.size() < 2) return one;
    ATOLL_ASSIGN(const double together, timer_.rateTogether(pairs, rate));
    const double share = together / rate;
    findings_.push_back(
        fmt::format("{} ranks of a {} that send to another at once get {:.3g} times what one gets alone", pairs.size(),
                    nameOfLevel(level - 1, tree.levels()), share));
    const auto ports = std::clamp(static_cast<std::int32_t>(std::lround(share)), 1, most);
    return ports == most && level == 1 ? Ports() : Ports{ports, level - 1};
  }

  /// The two members of one island of the level that have most members themselves.
  static std::pair<std::int32_t, std::int32_t> largestTwo(const Hierarchy& tree, int level) {
    std::pair<std::int32_t, std::int32_t> best{0, 0};
    std::int32_t most = 0;
    for (std::int32_t g = 0; g < tree.groups(level); ++g) {
      const std::int32_t first = tree.firstMember(level, g);
      for (std::int32_t m = first; m < first + tree.members(level, g); ++m) {
        for (std::int32_t n = first; n < m; ++n) {
          const std::int32_t both = std::min(tree.members(level - 1, n), tree.members(level - 1, m));
          if (both > most) {
            most = both;
            best = {n, m};
          }
        }
      }
    }
    return best;
  }

  /// The first rank of a group's member.
  static Rank firstOf(const Hierarchy& tree, int level, std::int32_t group, std::int32_t member) {
    const std::int32_t number = tree.firstMember(level, group) + member;
    return level == 0 ? tree.rankAt(number) : tree.ranksOf(level - 1, number)[0];
  }

  const LinkTimer& timer_;
  std::vector<Rank> all_;
  std::size_t pairs_ = 0;
  std::vector<double> latencies_;  ///< of all pairs
  std::vector<RankPair> outerPairs_;
  std::vector<double> rates_;  ///< of those
  std::vector<std::vector<std::uint32_t>> groupOf_;
  std::vector<std::string> findings_;
};

}  // namespace

std::string confidenceOf(double gap) {
  return gap >= kSure ? "sure" : gap >= kLikely ? "likely" : "doubtful";
}

Result<Survey> surveyLinks(const LinkTimer& timer) {
  if (timer.ranks() < 2 || timer.ranks() > kMostSurveyed) {
    return makeError(ErrorCode::invalidUsage,
                     "links are measured between 2 to {} ranks, and this job has {}; start it by atoll run or mpirun",
                     kMostSurveyed, timer.ranks());
  }
  return Surveyor(timer).run();
}

}  // namespace atl::tools
