// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

Content between(int from, int to, int ranks) {
  return Content::message(static_cast<std::uint64_t>(from) * static_cast<std::uint64_t>(ranks) +
                          static_cast<std::uint64_t>(to));
}

Layout input(const Job& job) {
  Layout layout;
  for (int to = 0; to < job.ranks; ++to) {
    layout.push_back({common::blockStart(job, to), job.count, between(job.rank, to, job.ranks)});
  }
  return layout;
}

Layout output(const Job& job) {
  Layout layout;
  for (int from = 0; from < job.ranks; ++from) {
    layout.push_back({common::blockStart(job, from), job.count, between(from, job.rank, job.ranks)});
  }
  return layout;
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    return atollAllToAll(call.send, call.recv, job.count, call.type, call.comm, call.stream);
  };
}

}  // namespace

const Collective& allToAll() {
  static const Collective collective{
      .program = "alltoall_perf",
      .what = "Measures all-to-all: every rank sends a block of its own to every rank.",
      .countFor = common::blockOf,
      .sizeOf = common::allBlocks,
      .busFactor = common::othersShare,
      .input = input,
      .output = output,
      .bind = bind,
  };
  return collective;
}

}  // namespace atl::perf
