// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/tune/tuner.h"

#include <algorithm>
#include <array>
#include <memory>

#include "bench/perf/buffer.h"
#include "bench/perf/collectives/collectives.h"
#include "bench/perf/extents.h"
#include "bench/perf/measure.h"
#include "bench/perf/sweep.h"
#include "tools/atoll/tune/contest.h"
#include "tools/atoll/tune/entrants.h"

namespace atl::tools {
namespace {

struct Subject {
  Collective collective;
  const perf::Collective& (*description)();
};

constexpr std::array kSubjects = {
    Subject{Collective::allReduce, perf::allReduce},
    Subject{Collective::allGather, perf::allGather},
    Subject{Collective::reduceScatter, perf::reduceScatter},
    Subject{Collective::broadcast, perf::broadcast},
    Subject{Collective::reduce, perf::reduce},
    Subject{Collective::allToAll, perf::allToAll},
    Subject{Collective::gather, perf::gather},
    Subject{Collective::scatter, perf::scatter},
};

constexpr DataType kType = DataType::float32;
constexpr double kMostIterations = 10000;
constexpr double kMostGrowth = 20;
constexpr int kWarmUps = 2;

/// One algorithm's measurement of one size.
class Racer {
 public:
  Racer(const perf::Collective& collective, const TuneOptions& options, const Entrant& entrant,
        const std::vector<perf::MemberBuffers>& buffers, const perf::Case& oneCase, std::size_t count)
      : options_(options.perf),
        sampleSeconds_(options.sampleSeconds),
        measuring_(collective, options_, *entrant.team, buffers, oneCase, count, false) {
    options_.iterations = 1;
  }
  Racer(const Racer&) = delete;
  Racer& operator=(const Racer&) = delete;

  /// Makes links and programs, and finds out how many calls make a sample.
  Status warmUp() {
    for (int i = 0; i < kWarmUps; ++i) ATOLL_TRY(sample());
    return success();
  }

  /// Seconds of a call, the same on every rank. Each sample sets the number of calls of the next, by little at a time,
  /// so that neither a disturbed one nor one that is too short to be measured prolongs the rest.
  Result<double> sample() {
    ATOLL_ASSIGN(const perf::Measurement measurement, measuring_.time());
    const double seconds = std::max(measurement.seconds, 1e-9);
    const double most = std::min(kMostIterations, kMostGrowth * options_.iterations);
    options_.iterations = static_cast<int>(std::clamp(sampleSeconds_ / seconds, 1.0, most));
    return seconds;
  }

 private:
  perf::Options options_;
  double sampleSeconds_;
  perf::Measuring measuring_;
};

/// The numbers of elements to call a collective with: at least one for each block, and no size twice.
std::vector<std::size_t> countsOf(const perf::Collective& collective, const std::vector<std::uint64_t>& sizes,
                                  int ranks) {
  std::vector<std::size_t> counts;
  for (const std::uint64_t bytes : sizes) {
    const std::size_t count = std::max<std::size_t>(1, collective.countFor(bytes / atl::sizeOf(kType), ranks));
    if (counts.empty() || count > counts.back()) counts.push_back(count);
  }
  return counts;
}

class Tuner {
 public:
  Tuner(const TuneOptions& options, const perf::Team& team, const TuningObserver& observer, const Entrants& entrants)
      : options_(options), team_(team), observer_(observer), entrants_(entrants) {}

  Result<TuningResult> run(const std::vector<Subject>& subjects, const std::vector<std::uint64_t>& sizes) {
    std::vector<std::uint64_t> all;
    for (const Subject& subject : subjects) {
      for (const std::size_t count : countsOf(subject.description(), sizes, team_.ranks())) {
        all.push_back(bytesOf(subject.description(), count));
      }
    }
    if (observer_.begun) observer_.begun(std::move(all));
    for (const Subject& subject : subjects) {
      for (const std::size_t count : countsOf(subject.description(), sizes, team_.ranks())) {
        if (observer_.sizeBegun) observer_.sizeBegun(subject.collective, bytesOf(subject.description(), count));
        ATOLL_TRY(runSize(subject, count));
        if (observer_.sizeDone) observer_.sizeDone();
      }
    }
    return std::move(result_);
  }

 private:
  [[nodiscard]] std::uint64_t bytesOf(const perf::Collective& collective, std::size_t count) const {
    return collective.sizeOf(count, team_.ranks()) * atl::sizeOf(kType);
  }

  /// Buffers of just this size: the same memory at every call, as programs that call in a loop have it.
  Result<std::vector<perf::MemberBuffers>> buffersFor(const perf::Collective& collective, std::size_t count) const {
    std::vector<perf::MemberBuffers> buffers;
    for (const perf::Member& member : team_.members()) {
      const perf::Extents extents = perf::extentsFor(collective, count, kType, member.rank, team_.ranks());
      ATOLL_ASSIGN(auto send, perf::Buffer::allocate(extents.send, nullptr));
      ATOLL_ASSIGN(auto recv, perf::Buffer::allocate(extents.recv, nullptr));
      buffers.push_back({std::move(send), std::move(recv)});
    }
    return buffers;
  }

  Status runSize(const Subject& subject, std::size_t count) {
    const perf::Collective& collective = subject.description();
    ATOLL_ASSIGN(const auto buffers, buffersFor(collective, count));
    perf::Case oneCase;
    oneCase.type = kType;
    oneCase.root = collective.rooted ? 0 : -1;
    oneCase.operators.assign(team_.members().size(), atollSum);

    TunedSize size;
    size.collective = subject.collective;
    size.row.bytes = bytesOf(collective, count);
    ATOLL_ASSIGN(const BuiltInChoice builtIn, entrants_.builtIn(subject.collective, size.row.bytes));
    size.builtIn = builtIn.algorithm;
    result_.site = builtIn.site;

    const auto serving = entrants_.of(subject.collective);
    std::vector<std::unique_ptr<Racer>> racers;
    for (const Entrant* entrant : serving) {
      racers.push_back(std::make_unique<Racer>(collective, options_, *entrant, buffers, oneCase, count));
      ATOLL_TRY(racers.back()->warmUp());
    }
    Contest contest(racers.size(), options_.samples);
    for (auto turn = contest.next(); !turn.empty(); turn = contest.next()) {
      std::vector<double> seconds;
      for (const std::size_t i : turn) {
        ATOLL_ASSIGN(const double one, racers[i]->sample());
        seconds.push_back(one);
      }
      contest.add(seconds);
    }
    const auto medians = contest.medians();
    for (std::size_t i = 0; i < serving.size(); ++i) size.row.times.push_back({serving[i]->algorithm, medians[i]});
    std::stable_sort(size.row.times.begin(), size.row.times.end(),
                     [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
    result_.sizes.push_back(std::move(size));
    return success();
  }

  const TuneOptions& options_;
  const perf::Team& team_;
  const TuningObserver& observer_;
  const Entrants& entrants_;
  TuningResult result_;
};

}  // namespace

std::vector<Collective> tunableCollectives() {
  std::vector<Collective> all;
  for (const Subject& subject : kSubjects) all.push_back(subject.collective);
  return all;
}

Result<TuningResult> tune(const TuneOptions& options, const perf::World& world, const perf::Team& team,
                          const TuningObserver& observer) {
  const auto wanted = options.collectives.empty() ? tunableCollectives() : options.collectives;
  std::vector<Subject> subjects;
  for (const Subject& subject : kSubjects) {
    if (std::find(wanted.begin(), wanted.end(), subject.collective) != wanted.end()) subjects.push_back(subject);
  }
  ATOLL_ASSIGN(const auto ranks, perf::describeRanks(world, team));
  ATOLL_ASSIGN(const std::uint64_t most, perf::largestSize(team, ranks));
  perf::Sweep sweep = options.perf.sweep;
  sweep.maxBytes = std::min(sweep.maxBytes, most);
  ATOLL_ASSIGN(const auto sizes, perf::sizesOf(sweep));

  ATOLL_ASSIGN(Entrants entrants, Entrants::make(team, wanted));
  auto result = Tuner(options, team, observer, entrants).run(subjects, sizes);
  if (!result.ok()) return result;
  ATOLL_TRY(entrants.close());
  return result;
}

}  // namespace atl::tools
