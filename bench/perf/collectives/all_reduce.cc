// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

double busFactor(int ranks) {
  return 2.0 * (ranks - 1) / ranks;
}

Layout input(const Job& job) {
  return {{0, job.count, Content::contribution(job.rank)}};
}

Layout output(const Job& job) {
  return {{0, job.count, Content::reduction()}};
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    return atollAllReduce(call.send, call.recv, job.count, call.type, call.op, call.comm, call.stream);
  };
}

}  // namespace

const Collective& allReduce() {
  static const Collective collective{
      .program = "all_reduce_perf",
      .what = "Measures all-reduce: every rank gets the reduction of all ranks' buffers.",
      .reduces = true,
      .countFor = common::wholeBuffer,
      .sizeOf = common::wholeBuffer,
      .busFactor = busFactor,
      .input = input,
      .output = output,
      .inPlace = common::sameBuffer,
      .bind = bind,
  };
  return collective;
}

}  // namespace atl::perf
