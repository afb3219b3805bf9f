// SPDX-License-Identifier: Apache-2.0
// One thread's way through all cases and sizes. Every thread of every process goes the same way, call for call.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bench/perf/launch.h"
#include "bench/perf/measure.h"
#include "bench/perf/report.h"

namespace atl::perf {

/// What the leader (thread 0 of process 0) does with what all have measured. Empty on the others.
struct Observer {
  std::function<void(const Options&, const std::vector<RankInfo>&)> begun;
  std::function<void(std::uint64_t bytes)> sizeBegun;
  std::function<void(const Row&)> sizeDone;
  std::function<void()> cycleDone;
};

class Sweeper {
 public:
  /// All arguments outlive this object.
  Sweeper(const Collective& collective, const Options& options, const World& world, Team& team,
          const Observer* observer)
      : collective_(collective), options_(options), world_(world), team_(team), observer_(observer) {}

  /// Runs everything. Returns the number of wrong elements, the same on every rank.
  Result<std::uint64_t> run();

 private:
  Status fitMemory(const std::vector<RankInfo>& ranks);
  Status allocate();
  [[nodiscard]] std::vector<Case> cases() const;
  Status prepare(Case& oneCase) const;
  Status runCase(const Case& oneCase);
  Status releaseOperators(const Case& oneCase) const;
  Result<Row> runSize(const Case& oneCase, std::size_t count);
  Result<Measurement> runHalf(const Case& oneCase, std::size_t count, bool inPlace);

  const Collective& collective_;
  Options options_;  ///< its own: maxbytes may be lowered to what memory allows
  const World& world_;
  Team& team_;
  const Observer* observer_;
  std::vector<std::uint64_t> sizes_;
  std::vector<MemberBuffers> buffers_;
  std::uint64_t checkedRuns_ = 0;
  std::uint64_t wrong_ = 0;
};

/// The cases that the options ask of the collective: root within operator within type. For Progress and for the sweep.
std::size_t caseCount(const Collective& collective, const Options& options, int ranks);

}  // namespace atl::perf
