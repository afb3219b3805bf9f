// SPDX-License-Identifier: Apache-2.0
// Waiting costs no core, be it long or for ever, and whoever sleeps in it hears of a death.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <csignal>
#include <cstdlib>

#include "tests/processes/worker_job.h"
#include "tests/support/asleep.h"

namespace atl::test {
namespace {

constexpr int kRanks = 3;

class Waiting : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] Environment environment() const { return {std::string("ATOLL_TRANSPORT=") + GetParam()}; }
};

TEST_P(Waiting, ForALateRank_UsesNoCore) {
  expectAllOk(underAtoll(kRanks, {WAITING_WORKER, "call"}, environment()), kRanks);
}

// Of islands, a rank has links over memory and over sockets, and sleeps on those that it waits for at the time.
TEST(WaitingInIslands, ForALateRank_SleepsUntilItIsWoken) {
  const auto result = runProgram({ATOLL_PROGRAM, "run", "-n", "4", "--", "sh", "-c",
                                  "ATOLL_HOSTID=island$((ATOLL_RANK / 2)) exec " WAITING_WORKER " woken"},
                                 {"ATOLL_ALGO=allreduce:hierarchical"});
  expectAllOk(result, 4);
}

TEST_P(Waiting, ForALateRankOnAStream_UsesNoCore) {
  expectAllOk(underAtoll(kRanks, {WAITING_WORKER, "stream"}, environment()), kRanks);
}

TEST_P(Waiting, InNoCall_UsesNoCore) {
  expectAllOk(underAtoll(kRanks, {WAITING_WORKER, "idle"}, environment()), kRanks);
}

TEST_P(Waiting, ForARankThatDies_EndsForThoseAsleep) {
  ProgramRun run({ATOLL_PROGRAM, "run", "-n", std::to_string(kRanks), "--keep-going", "--", WAITING_WORKER, "dead"},
                 environment());
  pid_t victim = -1;
  for (const std::string& line : run.awaitLines("pid ", kRanks)) {
    const pid_t pid = std::atoi(line.c_str() + line.find("pid ") + 4);
    if (line.starts_with("[" + std::to_string(kRanks - 1) + "]")) {
      victim = pid;
    } else {
      awaitAsleep(pid, pid);
    }
  }
  ASSERT_GT(victim, 0);
  ::kill(victim, SIGKILL);
  const auto result = run.wait();
  for (int rank = 0; rank < kRanks - 1; ++rank) {
    EXPECT_THAT(result.output, testing::ContainsRegex("\\[" + std::to_string(rank) + "\\] failed: .*rank " +
                                                      std::to_string(kRanks - 1) + " \\(host "))
        << result.errors;
  }
}

/// What a sleep over memory is made of, and older or stricter systems lack.
class WaitingWithout : public testing::TestWithParam<int> {};

TEST_P(WaitingWithout, ForALateRank_LooksNowAndThen) {
  const auto result = underAtoll(kRanks, {WAITING_WORKER, "call", std::to_string(GetParam())}, {"ATOLL_TRANSPORT=shm"});
  if (result.code == 77) GTEST_SKIP() << result.errors;
  expectAllOk(result, kRanks);
}

INSTANTIATE_TEST_SUITE_P(Calls, WaitingWithout, testing::Values(SYS_membarrier, SYS_futex_waitv),
                         [](const auto& chosen) {
                           return chosen.param == SYS_membarrier ? "Membarrier" : "FutexWaitv";
                         });

INSTANTIATE_TEST_SUITE_P(Over, Waiting, testing::Values("shm", "tcp"),
                         [](const auto& transport) { return std::string(transport.param); });

}  // namespace
}  // namespace atl::test
