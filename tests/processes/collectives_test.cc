// SPDX-License-Identifier: Apache-2.0
// Real processes that move checked data: over shared memory and TCP, under atoll run, Open MPI and MPICH.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

const std::vector<std::string> kWorker = {COLLECTIVES_WORKER};

TEST(Processes, OverSharedMemory_EveryCollectiveIsRight) {
  for (const int ranks : {2, 4, 5}) expectAllOk(underAtoll(ranks, kWorker, {"ATOLL_TRANSPORT=shm"}), ranks);
}

TEST(Processes, OverTcp_EveryCollectiveIsRight) {
  for (const int ranks : {2, 3}) expectAllOk(underAtoll(ranks, kWorker, {"ATOLL_TRANSPORT=tcp"}), ranks);
}

/// What UCX is to use, where it is there.
class ProcessesOverUcx : public testing::TestWithParam<const char*> {};

TEST_P(ProcessesOverUcx, EveryCollectiveIsRight) {
  if (const auto reason = cannotUseUcx(COLLECTIVES_WORKER); !reason.empty()) GTEST_SKIP() << reason;
  const Environment environment = {"ATOLL_TRANSPORT=ucx", std::string("UCX_TLS=") + GetParam(), "ATOLL_DEBUG=link"};
  for (const int ranks : {2, 4}) {
    const auto result = underAtoll(ranks, kWorker, environment);
    expectAllOk(result, ranks);
    EXPECT_THAT(result.errors, testing::HasSubstr(std::string(GetParam()) + "/"));  // the link's description
  }
}

INSTANTIATE_TEST_SUITE_P(Tls, ProcessesOverUcx, testing::Values("tcp", "posix"),
                         [](const auto& tls) { return std::string(tls.param); });

TEST(Processes, AsHostsOfTheirOwn_TheyUseTcp) {
  const auto result =
      runProgram({ATOLL_PROGRAM, "run", "-n", "2", "--", "sh", "-c",
                  std::string("ATOLL_HOSTID=island$ATOLL_RANK ATOLL_DEBUG=link exec ") + COLLECTIVES_WORKER});
  expectAllOk(result, 2);
  EXPECT_THAT(result.errors, testing::HasSubstr("tcp"));
}

TEST(Processes, Alone_OneRankWorks) {
  expectAllOk(underAtoll(1, kWorker, {}), 1);
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
