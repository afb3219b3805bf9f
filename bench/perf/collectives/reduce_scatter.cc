// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

Layout input(const Job& job) {
  return {{0, common::allBlocks(job.count, job.ranks), Content::contribution(job.rank)}};
}

Layout output(const Job& job) {
  return {{0, job.count, Content::reduction(common::blockStart(job, job.rank))}};
}

InPlace inPlace(const Job& job) {
  return {.sendOffset = 0, .recvOffset = common::blockStart(job, job.rank)};
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    return atollReduceScatter(call.send, call.recv, job.count, call.type, call.op, call.comm, call.stream);
  };
}

}  // namespace

const Collective& reduceScatter() {
  static const Collective collective{
      .program = "reduce_scatter_perf",
      .what = "Measures reduce-scatter: every rank gets its block of the reduction of all ranks' buffers.",
      .reduces = true,
      .countFor = common::blockOf,
      .sizeOf = common::allBlocks,
      .busFactor = common::othersShare,
      .input = input,
      .output = output,
      .inPlace = inPlace,
      .bind = bind,
  };
  return collective;
}

}  // namespace atl::perf
