// SPDX-License-Identifier: Apache-2.0
// `atoll run` on real processes: exit codes, output, input, signals, and that nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/processes/program_run.h"

namespace atl::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

/// `atoll run OPTIONS… -- sh -c SCRIPT`.
std::vector<std::string> shell(std::vector<std::string> options, const std::string& script) {
  std::vector<std::string> command = {ATOLL_PROGRAM, "run"};
  command.insert(command.end(), options.begin(), options.end());
  for (const char* word : {"--", "sh", "-c"}) command.emplace_back(word);
  command.push_back(script);
  return command;
}

pid_t numberAtEnd(const std::string& line) {
  return std::atoi(line.c_str() + line.rfind(' ') + 1);
}

TEST(AtollRun, EveryRank_KnowsItsPlace) {
  const auto result = runProgram(shell({"-n", "3"}, "echo $ATOLL_RANK of $ATOLL_RANKS local $ATOLL_LOCAL_RANK"));
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(linesOf(result.output),
              UnorderedElementsAre("[0] 0 of 3 local 0", "[1] 1 of 3 local 1", "[2] 2 of 3 local 2"));
  EXPECT_EQ(result.errors, "");
}

TEST(AtollRun, OneRank_HasNoPrefix) {
  EXPECT_EQ(runProgram(shell({}, "echo alone")).output, "alone\n");
}

TEST(AtollRun, NoPrefix_LeavesLinesAsTheyAre) {
  EXPECT_EQ(runProgram(shell({"-n", "2", "--no-prefix"}, "echo same")).output, "same\nsame\n");
}

TEST(AtollRun, ProgramsOwnOptions_AreNotTakenForOurs) {
  const auto result = runProgram({ATOLL_PROGRAM, "run", "-n", "1", "echo", "-n", "7", "--help", "--", "-H"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.output, "7 --help -- -H");  // echo itself takes -n
}

TEST(AtollRun, MuchOutputOfManyRanks_IsWholeAndComplete) {
  const auto result = runProgram(shell({"-n", "4"}, "seq 1 20000"));
  std::vector<int> next(4, 1);
  for (const std::string& line : linesOf(result.output)) {
    int rank = -1;
    int number = -1;
    ASSERT_EQ(std::sscanf(line.c_str(), "[%d] %d", &rank, &number), 2) << line;
    ASSERT_TRUE(rank >= 0 && rank < 4) << line;
    ASSERT_EQ(number, next[static_cast<std::size_t>(rank)]++) << line;
  }
  EXPECT_THAT(next, ElementsAre(20001, 20001, 20001, 20001));
}

TEST(AtollRun, StandardErrorStaysApart) {
  const auto result = runProgram(shell({"-n", "2"}, "echo out; echo err >&2"));
  EXPECT_THAT(linesOf(result.output), UnorderedElementsAre("[0] out", "[1] out"));
  EXPECT_THAT(linesOf(result.errors), UnorderedElementsAre("[0] err", "[1] err"));
}

TEST(AtollRun, Input_GoesToRank0Alone) {
  std::string input;
  for (int i = 0; i < 50000; ++i) input += "line " + std::to_string(i) + "\n";
  const auto result = runProgram(shell({"-n", "2"}, "cksum"), {}, input);
  const auto alone = runProgram({"cksum"}, {}, input);
  EXPECT_THAT(linesOf(result.output), UnorderedElementsAre("[0] " + linesOf(alone.output).at(0), "[1] 4294967295 0"));
}

TEST(AtollRun, InputThatNobodyReads_DoesNotHoldTheJobUp) {
  EXPECT_EQ(runProgram(shell({"-n", "2"}, "exit 0"), {}, std::string(1 << 20, 'x')).code, 0);
}

TEST(AtollRun, FirstFailure_EndsTheOthersAndGivesItsCode) {
  const auto result = runProgram(shell({"-n", "3"}, "test $ATOLL_RANK = 1 && exit 7; sleep 1000"));
  EXPECT_EQ(result.code, 7);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr("rank 1 on "), HasSubstr("exited with code 7"), HasSubstr("ending the other 2")));
}

TEST(AtollRun, RankKilled_GivesTheSignalsCode) {
  const auto result = runProgram(shell({"-n", "2"}, "test $ATOLL_RANK = 1 && kill -KILL $$; sleep 1000"));
  EXPECT_EQ(result.code, 128 + SIGKILL);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("rank 1 on "), HasSubstr("killed by signal 9")));
}

TEST(AtollRun, KeepGoing_LetsTheOthersFinish) {
  const auto result =
      runProgram(shell({"-n", "3", "--keep-going"}, "test $ATOLL_RANK = 0 && exit 5; sleep 0.1; echo done"));
  EXPECT_EQ(result.code, 5);
  EXPECT_THAT(linesOf(result.output), UnorderedElementsAre("[1] done", "[2] done"));
}

TEST(AtollRun, RankThatIgnoresSigterm_IsKilledAfterTheGrace) {
  const auto result =
      runProgram(shell({"-n", "2", "--grace", "0.2"},
                       "if test $ATOLL_RANK = 1; then exit 3; fi; trap '' TERM; while :; do sleep 0.05; done"));
  EXPECT_EQ(result.code, 3);
}

TEST(AtollRun, NoSuchProgram_SaysSo) {
  const auto result = runProgram({ATOLL_PROGRAM, "run", "-n", "2", "--", "./no-such-program"});
  EXPECT_EQ(result.code, 127);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("./no-such-program"), HasSubstr("No such file")));
}

TEST(AtollRun, Timeout_EndsTheJobWithItsOwnCode) {
  const auto result = runProgram(shell({"-n", "2", "--timeout", "0.2"}, "sleep 1000"));
  EXPECT_EQ(result.code, 124);
  EXPECT_THAT(result.errors, HasSubstr("did not end within 0.2 s"));
}

TEST(AtollRun, Signals_ReachEveryRank) {
  for (const auto& [number, name] :
       {std::pair(SIGINT, "INT"), {SIGTERM, "TERM"}, {SIGHUP, "HUP"}, {SIGUSR1, "USR1"}, {SIGUSR2, "USR2"}}) {
    ProgramRun run(shell(
        {"-n", "2"}, std::string("trap 'echo got; exit 0' ") + name + "; echo ready; while :; do sleep 0.02; done"));
    run.awaitLines("ready", 2);
    run.signal(number);
    const auto result = run.wait();
    EXPECT_EQ(result.code, 0) << name;
    EXPECT_THAT(linesOf(result.output), testing::IsSupersetOf({"[0] got", "[1] got"})) << name;
  }
}

TEST(AtollRun, LauncherKilled_LeavesNoProcess) {
  ProgramRun run(shell({"-n", "3"}, "sleep 1000 & echo child $!; echo self $$; wait"));
  std::vector<pid_t> pids;
  for (const char* word : {"child", "self"}) {
    for (const std::string& line : run.awaitLines(word, 3)) pids.push_back(numberAtEnd(line));
  }
  ASSERT_EQ(pids.size(), 6U);
  run.signal(SIGKILL);
  run.wait();
  for (const pid_t pid : pids) EXPECT_TRUE(endsWithin(pid, 30)) << pid;
}

TEST(AtollRun, AgentKilled_TheLauncherSaysSoAndNoRankIsLeft) {
  ProgramRun run(shell({"-n", "2"}, "echo parent $PPID; echo self $$; exec sleep 1000"));
  const auto parents = run.awaitLines("parent", 2);
  const auto selves = run.awaitLines("self", 2);
  ASSERT_EQ(parents.size(), 2U);
  ::kill(numberAtEnd(parents[0]), SIGKILL);
  const auto result = run.wait();
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.errors, HasSubstr("lost the agent"));
  for (const std::string& line : selves) EXPECT_TRUE(endsWithin(numberAtEnd(line), 30)) << line;
}

TEST(AtollRun, ProcessLeftBehindByARank_IsEndedWithIt) {
  const auto result = runProgram(shell({"-n", "2"}, "sleep 1000 & echo child $!"));
  EXPECT_EQ(result.code, 0);
  for (const std::string& line : linesOf(result.output)) EXPECT_TRUE(endsWithin(numberAtEnd(line), 30)) << line;
}

TEST(AtollRun, ReaderOfTheOutputGone_EndsTheJob) {
  const auto result = runProgram({"sh", "-c", std::string(ATOLL_PROGRAM) + " run -n 2 -- yes | head -n 1"});
  EXPECT_THAT(result.errors, HasSubstr("nobody reads the output"));
}

class OtherHosts : public testing::Test {
 protected:
  /// A remote shell that stays here, but is told apart by what it puts in the environment.
  OtherHosts() {
    std::string pattern = (std::filesystem::temp_directory_path() / "atoll-hosts-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    shell_ = folder_ + "/shell";
    std::ofstream(shell_) << "#!/bin/sh\nFAKE_HOST=$1\nexport FAKE_HOST\nunset ATOLL_DEBUG\nshift\nexec sh -c \"$*\"\n";
    std::filesystem::permissions(shell_, std::filesystem::perms::owner_all);
  }
  ~OtherHosts() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::string shell_;
};

TEST_F(OtherHosts, RanksAreSpread_WithSettingsAndExportsAndDirectory) {
  const auto result = runProgram(shell({"-n", "3", "-H", "one:2,two", "--rsh", shell_, "-x", "COLOUR=deep blue"},
                                       "echo $ATOLL_RANK $FAKE_HOST $ATOLL_LOCAL_RANK $COLOUR $ATOLL_TIMEOUT $PWD"),
                                 {"ATOLL_TIMEOUT=77"});
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(linesOf(result.output),
              UnorderedElementsAre("[0] 0 one 0 deep blue 77 " + here, "[1] 1 one 1 deep blue 77 " + here,
                                   "[2] 2 two 0 deep blue 77 " + here));
}

TEST_F(OtherHosts, FailureThere_EndsTheRanksHere) {
  const auto result = runProgram(
      shell({"-n", "2", "-H", "localhost,far", "--rsh", shell_}, "test $ATOLL_RANK = 1 && exit 9; sleep 1000"));
  EXPECT_EQ(result.code, 9);
  EXPECT_THAT(result.errors, HasSubstr("rank 1 on far exited with code 9"));
}

TEST_F(OtherHosts, ShellThatFails_IsNamedWithItsCode) {
  const auto result = runProgram(shell({"-n", "2", "-H", "localhost,far", "--rsh", "false"}, "sleep 1000"));
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("far"), HasSubstr("exited with code 1")));
}

TEST_F(OtherHosts, LauncherKilled_LeavesNoProcessThere) {
  ProgramRun run(shell({"-n", "2", "-H", "one,two", "--rsh", shell_}, "echo self $$; exec sleep 1000"));
  const auto selves = run.awaitLines("self", 2);
  run.signal(SIGKILL);
  run.wait();
  for (const std::string& line : selves) EXPECT_TRUE(endsWithin(numberAtEnd(line), 30)) << line;
}

TEST(AtollRun, WrongUse_IsExplained) {
  EXPECT_THAT(runProgram({ATOLL_PROGRAM, "run"}).errors, HasSubstr("no program"));
  EXPECT_THAT(runProgram(shell({"-n", "4", "-H", "a:1"}, "true")).errors, HasSubstr("4 ranks do not fit"));
  const auto zero = runProgram(shell({"-n", "0"}, "true"));
  EXPECT_NE(zero.code, 0);
  EXPECT_THAT(zero.errors + zero.output, Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace atl::test
