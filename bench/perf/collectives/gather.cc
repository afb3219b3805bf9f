// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

Content blockOfRank(int rank) {
  return Content::message(static_cast<std::uint64_t>(rank));
}

Layout input(const Job& job) {
  return {{0, job.count, blockOfRank(job.rank)}};
}

Layout output(const Job& job) {
  Layout layout;
  if (job.rank != job.root) return layout;
  for (int r = 0; r < job.ranks; ++r) layout.push_back({common::blockStart(job, r), job.count, blockOfRank(r)});
  return layout;
}

InPlace inPlace(const Job& job) {
  return {.sendOffset = job.rank == job.root ? common::blockStart(job, job.rank) : 0, .recvOffset = 0};
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    return atollGather(call.send, call.recv, job.count, call.type, job.root, call.comm, call.stream);
  };
}

}  // namespace

const Collective& gather() {
  static const Collective collective{
      .program = "gather_perf",
      .what = "Measures gather: the root gets every rank's block.",
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
