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
  for (int r = 0; r < job.ranks; ++r) layout.push_back({common::blockStart(job, r), job.count, blockOfRank(r)});
  return layout;
}

InPlace inPlace(const Job& job) {
  return {.sendOffset = common::blockStart(job, job.rank), .recvOffset = 0};
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    return atollAllGather(call.send, call.recv, job.count, call.type, call.comm, call.stream);
  };
}

}  // namespace

const Collective& allGather() {
  static const Collective collective{
      .program = "all_gather_perf",
      .what = "Measures all-gather: every rank gets every rank's block.",
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
