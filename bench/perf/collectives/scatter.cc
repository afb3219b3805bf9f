// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

Content blockForRank(int rank) {
  return Content::message(static_cast<std::uint64_t>(rank));
}

Layout input(const Job& job) {
  Layout layout;
  if (job.rank != job.root) return layout;
  for (int r = 0; r < job.ranks; ++r) layout.push_back({common::blockStart(job, r), job.count, blockForRank(r)});
  return layout;
}

Layout output(const Job& job) {
  return {{0, job.count, blockForRank(job.rank)}};
}

InPlace inPlace(const Job& job) {
  return {.sendOffset = 0, .recvOffset = job.rank == job.root ? common::blockStart(job, job.rank) : 0};
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    return atollScatter(call.send, call.recv, job.count, call.type, job.root, call.comm, call.stream);
  };
}

}  // namespace

const Collective& scatter() {
  static const Collective collective{
      .program = "scatter_perf",
      .what = "Measures scatter: every rank gets its block of the root's buffer.",
      .rooted = true,
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
