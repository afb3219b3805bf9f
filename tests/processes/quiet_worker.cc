// SPDX-License-Identifier: Apache-2.0
// Ranks that count the system calls of repeated collectives. Once every kind of call has been made, the kernel is told
// to trap every system call of this thread into a counter. Prints "rank R of N ok", or how many there were; "cannot
// filter: WHY" with exit code 77 where the kernel takes no filter.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <vector>

#include "tests/processes/check.h"

namespace {

using atl::test::require;

constexpr int kCannotFilter = 77;

std::atomic<int> trapped{0};
std::atomic<long> lastTrapped{-1};

void onTrap(int, siginfo_t* info, void*) {
  trapped.fetch_add(1);
  lastTrapped.store(info->si_syscall);
}

/// From here on system calls of this thread fail and are counted; but for those that end a signal's handler, and those
/// with which the process says what it saw.
bool trapSystemCalls() {
  struct sigaction action {};
  action.sa_sigaction = onTrap;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

struct Job {
  atollComm_t comm = nullptr;
  int rank = 0;
  int ranks = 0;
  std::vector<float> in;
  std::vector<float> out;

  void callAll(std::size_t count) {
    const int next = (rank + 1) % ranks;
    const int previous = (rank + ranks - 1) % ranks;
    check(atollAllReduce(in.data(), out.data(), count, atollFloat, atollSum, comm, nullptr), "all-reduce");
    check(atollBroadcast(in.data(), out.data(), count, atollFloat, 0, comm, nullptr), "broadcast");
    check(atollReduce(in.data(), out.data(), count, atollFloat, atollSum, 0, comm, nullptr), "reduce");
    check(atollAllGather(in.data(), out.data(), count / ranks, atollFloat, comm, nullptr), "all-gather");
    check(atollReduceScatter(in.data(), out.data(), count / ranks, atollFloat, atollSum, comm, nullptr),
          "reduce-scatter");
    check(atollAllToAll(in.data(), out.data(), count / ranks, atollFloat, comm, nullptr), "all-to-all");
    check(atollGroupStart(), "group start");
    check(atollSend(in.data(), count, atollFloat, next, comm, nullptr), "send");
    check(atollRecv(out.data(), count, atollFloat, previous, comm, nullptr), "receive");
    check(atollGroupEnd(), "group end");
    check(atollBarrier(comm, nullptr), "barrier");
  }
  void check(atollResult_t result, const char* call) const { require(result, call, rank, comm); }
};

}  // namespace

int main() {
  Job job;
  require(atollCommInitEnv(&job.comm, nullptr), "init", -1);
  require(atollCommUserRank(job.comm, &job.rank), "rank", -1, job.comm);
  require(atollCommCount(job.comm, &job.ranks), "count", -1, job.comm);
  const std::size_t counts[] = {2, 100, 2000, 100000};
  job.in.assign(100000, 1.0F);
  job.out.assign(100000, 0.0F);
  const auto callAll = [&] {
    for (const std::size_t count : counts) job.callAll(count);
  };
  for (int i = 0; i < 3; ++i) callAll();
  if (!trapSystemCalls()) {
    std::fprintf(stderr, "cannot filter: %s\n", std::strerror(errno));
    std::_Exit(kCannotFilter);
  }
  for (int i = 0; i < 20; ++i) callAll();

  char text[128];
  const int length = trapped.load() == 0
                         ? std::snprintf(text, sizeof text, "rank %d of %d ok\n", job.rank, job.ranks)
                         : std::snprintf(text, sizeof text, "rank %d: %d system calls, the last one number %ld\n",
                                         job.rank, trapped.load(), lastTrapped.load());
  const bool written = ::write(STDOUT_FILENO, text, static_cast<std::size_t>(length)) == length;
  std::_Exit(written && trapped.load() == 0 ? 0 : 1);  // the rest of the library's end needs what is trapped now
}
