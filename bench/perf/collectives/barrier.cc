// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

std::size_t noElements(std::size_t, int) {
  return 0;
}

Layout noData(const Job&) {
  return {};
}

Issue bind(const Job&) {
  return [](const Call& call, int) { return atollBarrier(call.comm, call.stream); };
}

}  // namespace

const Collective& barrier() {
  static const Collective collective{
      .program = "barrier_perf",
      .what = "Measures the barrier, which has no data: every size of the sweep is the same measurement.",
      .countFor = noElements,
      .sizeOf = noElements,
      .busFactor = common::one,
      .input = noData,
      .output = noData,
      .bind = bind,
  };
  return collective;
}

}  // namespace atl::perf
