// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

Content messageOf(int rank) {
  return Content::message(static_cast<std::uint64_t>(rank));
}

int next(const Job& job) {
  return (job.rank + 1) % job.ranks;
}
int previous(const Job& job) {
  return (job.rank + job.ranks - 1) % job.ranks;
}

Layout input(const Job& job) {
  return {{0, job.count, messageOf(job.rank)}};
}

Layout output(const Job& job) {
  return {{0, job.count, messageOf(previous(job))}};
}

Issue bind(const Job& job) {
  return [job](const Call& call, int) {
    atollResult_t result = atollGroupStart();
    if (result != atollSuccess) return result;
    result = atollSend(call.send, job.count, call.type, next(job), call.comm, call.stream);
    if (result == atollSuccess) {
      result = atollRecv(call.recv, job.count, call.type, previous(job), call.comm, call.stream);
    }
    const atollResult_t ended = atollGroupEnd();
    return result == atollSuccess ? ended : result;
  };
}

}  // namespace

const Collective& sendRecv() {
  static const Collective collective{
      .program = "sendrecv_perf",
      .what = "Measures send and receive around a ring: every rank sends to the next and receives from the one before.",
      .countFor = common::wholeBuffer,
      .sizeOf = common::wholeBuffer,
      .busFactor = common::one,
      .input = input,
      .output = output,
      .bind = bind,
  };
  return collective;
}

}  // namespace atl::perf
