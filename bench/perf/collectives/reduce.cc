// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

Layout input(const Job& job) {
  return {{0, job.count, Content::contribution(job.rank)}};
}

Layout output(const Job& job) {
  if (job.rank != job.root) return {};
  return {{0, job.count, Content::reduction()}};
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    return atollReduce(call.send, call.recv, job.count, call.type, call.op, job.root, call.comm, call.stream);
  };
}

}  // namespace

const Collective& reduce() {
  static const Collective collective{
      .program = "reduce_perf",
      .what = "Measures reduce: the root gets the reduction of all ranks' buffers.",
      .reduces = true,
      .rooted = true,
      .countFor = common::wholeBuffer,
      .sizeOf = common::wholeBuffer,
      .busFactor = common::one,
      .input = input,
      .output = output,
      .inPlace = common::sameBuffer,
      .bind = bind,
  };
  return collective;
}

}  // namespace atl::perf
