// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

constexpr std::uint64_t kRootsMessage = 0;

Layout input(const Job& job) {
  if (job.rank != job.root) return {};
  return {{0, job.count, Content::message(kRootsMessage)}};
}

Layout output(const Job& job) {
  return {{0, job.count, Content::message(kRootsMessage)}};
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    return atollBroadcast(call.send, call.recv, job.count, call.type, job.root, call.comm, call.stream);
  };
}

}  // namespace

const Collective& broadcast() {
  static const Collective collective{
      .program = "broadcast_perf",
      .what = "Measures broadcast: every rank gets the root's buffer.",
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
