// SPDX-License-Identifier: Apache-2.0
// The programs as a user runs them: ranks as threads of one process, real data, real output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "bench/perf/reduction.h"
#include "src/base/types.h"
#include "tests/bench/program_runner.h"

namespace atl::perf {
namespace {

using testing::HasSubstr;

const std::string kSmallSweep = "-b 4 -e 64K -f 8 -n 2 -w 1 -T 60 ";

/// Every row is right, and there are as many as the sweep has sizes.
void expectGood(const ProgramRun& run, std::size_t rows) {
  EXPECT_EQ(run.exitCode, 0) << run.output;
  EXPECT_TRUE(run.saysOk()) << run.output;
  EXPECT_THAT(run.output, HasSubstr("# Avg bus bandwidth"));
  EXPECT_EQ(run.rows().size(), rows) << run.output;
  for (const PrintedRow& row : run.rows()) EXPECT_EQ(row.wrong(), "0") << run.output;
}

class Program : public testing::TestWithParam<const char*> {};

TEST_P(Program, FourRanksAsThreads_MoveRightData) {
  expectGood(runPerf(GetParam(), kSmallSweep + "-t 4"), 5);
}

TEST_P(Program, OneRankAlone_Works) {
  expectGood(runPerf(GetParam(), kSmallSweep), 5);
}

TEST_P(Program, TwoRanksPerThread_WorkByGroups) {
  expectGood(runPerf(GetParam(), kSmallSweep + "-t 2 -g 2"), 5);
}

TEST_P(Program, AggregatedCalls_Work) {
  expectGood(runPerf(GetParam(), kSmallSweep + "-t 2 -m 3"), 5);
}

TEST_P(Program, HostStreams_Work) {
  expectGood(runPerf(GetParam(), kSmallSweep + "-t 2 --stream -z 1"), 5);
}

TEST_P(Program, RegisteredBuffers_Work) {
  expectGood(runPerf(GetParam(), kSmallSweep + "-t 2 -R 1"), 5);
}

INSTANTIATE_TEST_SUITE_P(All, Program,
                         testing::Values("all_reduce_perf", "all_gather_perf", "broadcast_perf", "reduce_scatter_perf",
                                         "reduce_perf", "alltoall_perf", "alltoallv_perf", "scatter_perf",
                                         "gather_perf", "sendrecv_perf", "hypercube_perf", "barrier_perf"),
                         [](const auto& instance) { return std::string(instance.param); });

TEST(AllReducePerf, EveryTypeAndOperator_IsExact) {
  expectGood(runPerf("all_reduce_perf", "-b 1032 -e 1032 -n 1 -t 3 -d all -o all"),
             static_cast<std::size_t>(kDataTypes) * kReductions);
}

TEST(ReduceScatterPerf, EveryTypeAndOperator_IsExact) {
  expectGood(runPerf("reduce_scatter_perf", "-b 1032 -e 1032 -n 1 -t 3 -d all -o all"),
             static_cast<std::size_t>(kDataTypes) * kReductions);
}

TEST(BroadcastPerf, AllRoots_HaveARowEach) {
  const ProgramRun run = runPerf("broadcast_perf", "-b 100 -e 100 -n 1 -t 3 -r all");
  expectGood(run, 3);
  std::vector<int> roots;
  for (const PrintedRow& row : run.rows()) roots.push_back(row.root());
  EXPECT_THAT(roots, testing::ElementsAre(0, 1, 2));
}

TEST(AllReducePerf, ParallelInit_Works) {
  expectGood(runPerf("all_reduce_perf", kSmallSweep + "-t 3 -p 1"), 5);
}

TEST(AllReducePerf, EveryBlockingModeAndAverage_Works) {
  for (const char* mode : {"-z 0 -a 0", "-z 1 -a 1", "-z 2 -a 2", "-z 3 -a 3"}) {
    expectGood(runPerf("all_reduce_perf", kSmallSweep + "-t 2 " + mode), 5);
  }
}

TEST(AllReducePerf, Cycles_RepeatTheSweep) {
  expectGood(runPerf("all_reduce_perf", "-b 8 -e 8 -n 1 -t 2 -N 3"), 3);
}

TEST(AllReducePerf, NoCheck_PrintsNotAvailable) {
  const ProgramRun run = runPerf("all_reduce_perf", "-b 8 -e 8 -n 1 -t 2 -c 0");
  EXPECT_EQ(run.exitCode, 0);
  ASSERT_EQ(run.rows().size(), 1u);
  EXPECT_EQ(run.rows()[0].wrong(), "N/A");
  EXPECT_EQ(run.rows()[0].wrongInPlace(), "N/A");
}

TEST(AllReducePerf, OddCounts_AreRight) {
  expectGood(runPerf("all_reduce_perf", "-b 1 -e 41 -i 4 -n 1 -t 3 -d int8"), 11);
}

TEST(AllReducePerf, Header_ShowsEveryRanksProcess) {
  const ProgramRun run = runPerf("all_reduce_perf", "-b 8 -e 8 -n 1 -t 3");
  for (const char* rank : {"Rank    0 ", "Rank    1 ", "Rank    2 "}) EXPECT_THAT(run.output, HasSubstr(rank));
}

TEST(AllReducePerf, JsonFile_HasTheRowsOfTheText) {
  const auto path = std::filesystem::path(testing::TempDir()) / "atoll_programs_test.json";
  const ProgramRun run = runPerf("all_reduce_perf", "-b 8 -e 512 -f 8 -n 3 -t 2 -I 1 -K 1 -J " + path.string());
  expectGood(run, 3);
  EXPECT_THAT(run.output, HasSubstr("median"));
  std::ifstream file(path);
  const auto document = nlohmann::json::parse(file);
  EXPECT_EQ(document["nranks"], 2);
  ASSERT_EQ(document["results"].size(), 3u);
  EXPECT_EQ(document["results"][1]["size"], 64);
  EXPECT_EQ(document["results"][1]["out_of_place"]["nwrong"], 0);
  EXPECT_EQ(document["results"][1]["in_place"]["samples"].size(), 3u);
  EXPECT_EQ(document["out_of_bounds"]["okay"], true);
  std::filesystem::remove(path);
}

/// Rows carry the launcher's prefixes; the footer is looked for.
void expectGoodUnder(const std::string& launcher, const std::string& program) {
  const ProgramRun run = runPerf(program, kSmallSweep, launcher);
  EXPECT_EQ(run.exitCode, 0) << run.output;
  EXPECT_TRUE(run.saysOk()) << run.output;
  EXPECT_THAT(run.output, HasSubstr("Process    2 "));
}

TEST(Programs, ProcessesOfAtollRun_FindEachOther) {
  for (const char* program : {"all_reduce_perf", "alltoall_perf"}) {
    expectGoodUnder(ATOLL_PROGRAM_FOLDER "/atoll run -n 3 --", program);
  }
}

TEST(Programs, ProcessesOfMpirun_FindEachOther) {
  const std::string mpirun = ATOLL_MPIRUN;
  if (mpirun.empty()) GTEST_SKIP() << "no mpirun on this machine";
  // Open MPI's library, which the program loads to meet the others, ends with memory of its own still allocated, in
  // parts of it that are unloaded by then: no suppression by name can match those.
  expectGoodUnder("env ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 " + mpirun +
                      " --oversubscribe --allow-run-as-root --bind-to none -np 3",
                  "all_reduce_perf");
}

TEST(Programs, LargeAllocatedBuffers_AreRightReadInPlaceAndCopied) {
  for (const char* direct : {"on", "off"}) {
    for (const char* program : {"all_reduce_perf", "all_gather_perf", "broadcast_perf", "alltoall_perf"}) {
      const ProgramRun run =
          runPerf(program, "-b 8M -e 8M -n 2 -w 1 -R 1 -T 60",
                  std::string("env ATOLL_DIRECT=") + direct + " " ATOLL_PROGRAM_FOLDER "/atoll run -n 3 --");
      EXPECT_EQ(run.exitCode, 0) << run.output;
      EXPECT_TRUE(run.saysOk()) << run.output;
    }
  }
}

TEST(Programs, ThreadsInSeveralProcesses_AreAllRanks) {
  const ProgramRun run = runPerf("all_reduce_perf", kSmallSweep + "-t 2", ATOLL_PROGRAM_FOLDER "/atoll run -n 2 --");
  EXPECT_EQ(run.exitCode, 0) << run.output;
  EXPECT_TRUE(run.saysOk()) << run.output;
  EXPECT_THAT(run.output, HasSubstr("Rank    3 Process    1 "));
}

TEST(Programs, WrongUse_EndsWithItsReasonAndCode) {
  for (const auto& [program, arguments, reason] :
       {std::tuple{"all_reduce_perf", "--nonsense", "--nonsense"}, std::tuple{"all_reduce_perf", "-G 1", "cudagraph"},
        std::tuple{"broadcast_perf", "-t 2 -r 2", "root 2"}, std::tuple{"hypercube_perf", "-t 3", "power of two"}}) {
    const ProgramRun run = runPerf(program, arguments);
    EXPECT_EQ(run.exitCode, 2) << run.output;
    EXPECT_THAT(run.output, HasSubstr(reason));
  }
}

TEST(Programs, JsonFileThatCannotBeWritten_IsAFailure) {
  const ProgramRun run = runPerf("all_reduce_perf", "-b 8 -e 8 -n 1 -J /nonexistent-folder/out.json");
  EXPECT_EQ(run.exitCode, 1);
  EXPECT_THAT(run.output, HasSubstr("/nonexistent-folder/out.json"));
}

}  // namespace
}  // namespace atl::perf
