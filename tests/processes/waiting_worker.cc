// SPDX-License-Identifier: Apache-2.0
// A rank that counts what waiting costs its whole process, service thread and streams included. The argument says what
// it waits in: "call", for the last rank, which is late; "woken", likewise, and it has to sleep until it is woken;
// "stream", for the late rank on a host stream; "idle", in no call at all; "dead", in a call for the last rank, which
// never comes: each other rank prints "pid P" before. Prints "rank R of N ok" when that was next to nothing, or, in
// "dead", "failed: TEXT" as soon as the call fails. A second argument is the number of a system call that it has to do
// without; exit code 77 where that cannot be arranged.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/processes/check.h"
#include "tests/support/usage.h"

namespace {

using atl::test::require;
using atl::test::Usage;

constexpr int kCannotFilter = 77;

/// From here on the system call fails in this process, as on a kernel that has none such.
bool doWithout(unsigned call) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

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

int main(int argc, char** argv) {
  const std::string_view mode = argv[1];
  if (argc > 2 && !doWithout(static_cast<unsigned>(std::atoi(argv[2])))) {
    std::fprintf(stderr, "cannot filter: %s\n", std::strerror(errno));
    return kCannotFilter;
  }
  Job job;
  require(atollCommInitEnv(&job.comm, nullptr), "init", -1);
  require(atollCommUserRank(job.comm, &job.rank), "rank", -1, job.comm);
  require(atollCommCount(job.comm, &job.ranks), "count", -1, job.comm);
  for (int i = 0; i < 3; ++i) job.call();  // links first
  if (mode == "dead") return job.awaitDeath();

  const bool late = mode == "idle" || job.rank == job.ranks - 1;
  const Usage before = Usage::now(RUSAGE_SELF);
  if (late) std::this_thread::sleep_for(kLate);
  if (mode == "call" || mode == "woken") job.call();
  if (mode == "stream") job.callOnStream();
  const Usage used = Usage::now(RUSAGE_SELF) - before;
  if (!(mode == "woken" ? used.isOfASleep() : used.isOfAWait())) {
    std::fprintf(stderr, "rank %d: %.3f s of a core and %ld sleeps in %.3f s\n", job.rank, used.cpu, used.sleeps,
                 used.seconds);
    return 1;
  }
  std::printf("rank %d of %d ok\n", job.rank, job.ranks);
  std::fflush(stdout);
  require(atollCommDestroy(job.comm), "destroy", job.rank);
  return 0;
}
