// SPDX-License-Identifier: Apache-2.0
// A rank that counts what waiting costs its whole process, service thread and streams included. The argument says what
// it waits in: "call", for the last rank, which is late; "stream", likewise on a host stream; "idle", in no call at
// all; "dead", in a call for the last rank, which never comes: each other rank prints "pid P" before. Prints "rank R of
// N ok" when that was next to nothing, or, in "dead", "failed: TEXT" as soon as the call fails.
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/processes/check.h"
#include "tests/support/usage.h"

namespace {

using atl::test::require;
using atl::test::Usage;

constexpr auto kLate = std::chrono::milliseconds(800);

struct Job {
  atollComm_t comm = nullptr;
  int rank = 0;
  int ranks = 0;
  std::vector<float> data = std::vector<float>(16, 1.0F);

  atollResult_t sum(atollStream_t stream) {
    return atollAllReduce(data.data(), data.data(), data.size(), atollFloat, atollMax, comm, stream);
  }
  void call() { require(sum(nullptr), "all-reduce", rank, comm); }
  void callOnStream() {
    atollStream_t stream = nullptr;
    require(atollStreamCreate(&stream), "stream", rank, comm);
    require(sum(stream), "all-reduce on a stream", rank, comm);
    require(atollStreamSynchronize(stream), "synchronize", rank, comm);
    require(atollStreamDestroy(stream), "destroy stream", rank, comm);
  }
  int awaitDeath() {
    std::printf("pid %d\n", static_cast<int>(::getpid()));
    std::fflush(stdout);
    if (rank == ranks - 1) ::pause();
    const atollResult_t result = sum(nullptr);
    std::printf("failed: %s\n", result == atollSuccess ? "it did not" : atollGetLastError(comm));
    std::fflush(stdout);
    atollCommAbort(comm);
    return 3;
  }
};

}  // namespace

int main(int, char** argv) {
  const std::string_view mode = argv[1];
  Job job;
  require(atollCommInitEnv(&job.comm, nullptr), "init", -1);
  require(atollCommUserRank(job.comm, &job.rank), "rank", -1, job.comm);
  require(atollCommCount(job.comm, &job.ranks), "count", -1, job.comm);
  for (int i = 0; i < 3; ++i) job.call();  // links first
  if (mode == "dead") return job.awaitDeath();

  const bool late = mode == "idle" || job.rank == job.ranks - 1;
  const Usage before = Usage::now(RUSAGE_SELF);
  if (late) std::this_thread::sleep_for(kLate);
  if (mode == "call") job.call();
  if (mode == "stream") job.callOnStream();
  const Usage used = Usage::now(RUSAGE_SELF) - before;
  if (!used.isOfAWait()) {
    std::fprintf(stderr, "rank %d: %.3f s of a core and %ld sleeps in %.3f s\n", job.rank, used.cpu, used.sleeps,
                 used.seconds);
    return 1;
  }
  std::printf("rank %d of %d ok\n", job.rank, job.ranks);
  std::fflush(stdout);
  require(atollCommDestroy(job.comm), "destroy", job.rank);
  return 0;
}
