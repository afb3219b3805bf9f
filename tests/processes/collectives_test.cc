// SPDX-License-Identifier: Apache-2.0
// Real processes that move checked data: over shared memory and TCP, under atoll run, Open MPI and MPICH.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/processes/program_run.h"

namespace atl::test {
namespace {

/// A launcher that tests can be started with, found by name.
[[maybe_unused]] bool installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) ==
         0;  // NOLINT(cert-env33-c): our own words
}

/// The reason to skip, or empty.
std::string cannotUse(const std::string& launcher, [[maybe_unused]] const std::string& package) {
#if defined(__SANITIZE_THREAD__)
  return launcher + "'s library is not built for ThreadSanitizer, which would report on it and not on us";
#else
  return installed(launcher) ? std::string() : launcher + " is not installed (package " + package + ")";
#endif
}

/// MPI libraries leak by design, and what they leak is not ours to report.
const Environment kUnderMpi = {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                               "ASAN_OPTIONS=detect_leaks=0"};

void expectAllOk(const ProgramResult& result, int ranks) {
  EXPECT_EQ(result.code, 0) << result.output << result.errors;
  for (int rank = 0; rank < ranks; ++rank) {
    EXPECT_THAT(result.output,
                testing::HasSubstr("rank " + std::to_string(rank) + " of " + std::to_string(ranks) + " ok"));
  }
}

ProgramResult underAtoll(int ranks, const Environment& environment) {
  return runProgram({ATOLL_PROGRAM, "run", "-n", std::to_string(ranks), "--", COLLECTIVES_WORKER}, environment);
}

TEST(Processes, OverSharedMemory_EveryCollectiveIsRight) {
  for (const int ranks : {2, 4, 5}) expectAllOk(underAtoll(ranks, {"ATOLL_TRANSPORT=shm"}), ranks);
}

TEST(Processes, OverTcp_EveryCollectiveIsRight) {
  for (const int ranks : {2, 3}) expectAllOk(underAtoll(ranks, {"ATOLL_TRANSPORT=tcp"}), ranks);
}

TEST(Processes, AsHostsOfTheirOwn_TheyUseTcp) {
  const auto result =
      runProgram({ATOLL_PROGRAM, "run", "-n", "2", "--", "sh", "-c",
                  std::string("ATOLL_HOSTID=island$ATOLL_RANK ATOLL_DEBUG=link exec ") + COLLECTIVES_WORKER});
  expectAllOk(result, 2);
  EXPECT_THAT(result.errors, testing::HasSubstr("tcp"));
}

TEST(Processes, Alone_OneRankWorks) {
  expectAllOk(underAtoll(1, {}), 1);
}

TEST(Processes, RendezvousFile_NeedsNoLauncher) {
  const std::string script =
      "file=$(mktemp -u); for rank in 0 1 2; do ATOLL_RENDEZVOUS_FILE=$file ATOLL_RANK=$rank "
      "ATOLL_RANKS=3 " COLLECTIVES_WORKER " & done; wait; rm -f $file";
  expectAllOk(runProgram({"sh", "-c", script}), 3);
}

TEST(Processes, TorchrunsVariables_AreEnough) {
  const std::string script =
      "for rank in 0 1 2; do RANK=$rank WORLD_SIZE=3 MASTER_ADDR=127.0.0.1 MASTER_PORT=$((23000 + $$ % "
      "9000)) " COLLECTIVES_WORKER " & done; wait";
  expectAllOk(runProgram({"sh", "-c", script}), 3);
}

TEST(Processes, SlurmsVariables_AreEnough) {
  const std::string script =
      "for rank in 0 1 2; do SLURM_PROCID=$rank SLURM_NTASKS=3 SLURM_STEP_ID=0 SLURM_JOB_ID=$$ "
      "SLURM_STEP_NODELIST=localhost " COLLECTIVES_WORKER " & done; wait";
  expectAllOk(runProgram({"sh", "-c", script}), 3);
}

TEST(Processes, UnderOpenMpi_EveryCollectiveIsRight) {
  if (const auto reason = cannotUse("mpirun.openmpi", "openmpi-bin"); !reason.empty()) GTEST_SKIP() << reason;
  expectAllOk(runProgram({"mpirun.openmpi", "--oversubscribe", "-n", "3", COLLECTIVES_WORKER}, kUnderMpi), 3);
}

TEST(Processes, UnderMpich_EveryCollectiveIsRight) {
  if (const auto reason = cannotUse("mpirun.mpich", "mpich"); !reason.empty()) GTEST_SKIP() << reason;
  expectAllOk(runProgram({"mpirun.mpich", "-n", "3", COLLECTIVES_WORKER}, kUnderMpi), 3);
}

TEST(Processes, RankThatNeverComes_IsNamedWithinTheLimit) {
  const auto result = runProgram({ATOLL_PROGRAM, "run", "-n", "3", "--keep-going", "--", "sh", "-c",
                                  std::string("test $ATOLL_RANK = 2 && exit 0; exec ") + COLLECTIVES_WORKER},
                                 {"ATOLL_BOOTSTRAP_TIMEOUT=1"});
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.errors, testing::HasSubstr("2"));
  EXPECT_THAT(linesOf(result.errors), testing::Contains(testing::HasSubstr("[0] rank -1: init:")));
}

}  // namespace
}  // namespace atl::test
