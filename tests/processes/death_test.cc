// SPDX-License-Identifier: Apache-2.0
// A rank is killed in the middle of a collective, over and over: the others name it, and nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

constexpr int kRanks = 4;
constexpr int kTurns = 20;

/// The time that a survivor may take, on an idle machine. Only reported: a busy machine must not fail the test, whose
/// limits are the safety nets below.
constexpr double kPromisedSeconds = 2;

long long microseconds() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::set<std::string> sharedMemoryFiles() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/shm"))
    names.insert(entry.path().filename().string());
  return names;
}

std::string hostName() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// "[2] pid 4711" gives 4711 for rank 2.
pid_t pidOfRank(const std::vector<std::string>& lines, int rank) {
  const std::string begin = "[" + std::to_string(rank) + "] pid ";
  for (const std::string& line : lines) {
    if (line.starts_with(begin)) return std::atoi(line.c_str() + begin.size());
  }
  return -1;
}

class Death : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    environment_ = {std::string("ATOLL_TRANSPORT=") + GetParam()};
    if (GetParam() == std::string("rdma")) {
      environment_ = rdmaOverFake();
      if (environment_.empty()) GTEST_SKIP() << "there is no fake libibverbs: libibverbs's headers were not found";
    }
    if (GetParam() == std::string("ncclnet")) {
      environment_ = ncclNetOverAtoll("tcp");
      if (environment_.empty()) GTEST_SKIP() << "this build does not have Atoll's plug-in for NCCL";
    }
    if (GetParam() != std::string("ucx")) return;
    if (const auto reason = cannotUseUcx(COLLECTIVES_WORKER); !reason.empty()) GTEST_SKIP() << reason;
  }

  /// Kills `victim` and returns the longest time that a survivor took to notice.
  double killOnce(int victim, const char* count) {
    ProgramRun run({ATOLL_PROGRAM, "run", "-n", std::to_string(kRanks), "--keep-going", "--", ENDLESS_WORKER, count},
                   environment_);
    const auto started = run.awaitLines("pid ", kRanks);
    const pid_t pid = pidOfRank(started, victim);
    EXPECT_GT(pid, 0);
    if (pid <= 0) return 0;
    const long long killed = microseconds();
    ::kill(pid, SIGKILL);
    const auto result = run.wait();
    EXPECT_EQ(result.code, 128 + SIGKILL) << result.errors;
    const std::string name = "rank " + std::to_string(victim) + " (host " + hostName();
    double longest = 0;
    for (int rank = 0; rank < kRanks; ++rank) {
      if (rank == victim) continue;
      const std::string begin = "[" + std::to_string(rank) + "] failed at ";
      const auto lines = linesOf(result.output);
      const auto line = std::ranges::find_if(lines, [&](const std::string& text) { return text.starts_with(begin); });
      EXPECT_NE(line, lines.end()) << "rank " << rank << " did not notice\n" << result.output << result.errors;
      if (line == lines.end()) continue;
      EXPECT_THAT(*line, testing::HasSubstr(name));
      longest = std::max(longest, static_cast<double>(std::atoll(line->c_str() + begin.size()) - killed) * 1e-6);
    }
    for (int rank = 0; rank < kRanks; ++rank) EXPECT_TRUE(endsWithin(pidOfRank(started, rank), 30)) << "rank " << rank;
    return longest;
  }

  Environment environment_;
};

TEST_P(Death, OfAnyRankTwentyTimes_IsNamedByAllOthersAndLeavesNothing) {
  const auto before = sharedMemoryFiles();
  double longest = 0;
  for (int turn = 0; turn < kTurns && !HasFailure(); ++turn) {
    SCOPED_TRACE("turn " + std::to_string(turn));
    longest = std::max(longest, killOnce(turn % kRanks, turn % 2 == 0 ? "1" : "50000"));
  }
  EXPECT_THAT(sharedMemoryFiles(), testing::IsSubsetOf(before));  // other programs may take theirs away meanwhile
  RecordProperty("longest_seconds_to_notice", std::to_string(longest));
  std::printf("survivors noticed after %.3f s at most (promised: %.0f s)\n", longest, kPromisedSeconds);
}

/// Of the first rank too, whose process is the root of the tree that the others are joined by.
TEST_P(Death, OfARank_LeavesACommunicatorThatShrinks) {
  for (const int victim : {0, 2}) {
    SCOPED_TRACE("rank " + std::to_string(victim) + " is killed");
    ProgramRun run({ATOLL_PROGRAM, "run", "-n", std::to_string(kRanks), "--keep-going", "--", ENDLESS_WORKER, "1000",
                    std::to_string(victim)},
                   environment_);
    const pid_t pid = pidOfRank(run.awaitLines("pid ", kRanks), victim);
    ASSERT_GT(pid, 0);
    ::kill(pid, SIGKILL);
    const auto result = run.wait();
    const auto lines = linesOf(result.output);
    for (int rank = 0; rank < kRanks; ++rank) {
      if (rank == victim) continue;
      EXPECT_THAT(lines, testing::Contains("[" + std::to_string(rank) + "] sum 3 of 3 ranks")) << result.errors;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Over, Death, testing::Values("shm", "tcp", "ucx", "rdma", "ncclnet"),
                         [](const auto& transport) { return std::string(transport.param); });

}  // namespace
}  // namespace atl::test
