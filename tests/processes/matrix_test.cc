// SPDX-License-Identifier: Apache-2.0
// Every algorithm on every collective, with every datatype and operator, as real processes: over shared memory and TCP
// under atoll run, and under Open MPI.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

/// Numbers of ranks. Sanitizers slow a job down many times, and see in a few of them what they would see in all.
const std::vector<int> kRanks = {
#ifdef ATOLL_SANITIZED
    2, 3, 5
#else
    1, 2, 3, 4, 5,
    6, 7, 8, 9
#endif
};

void expectEveryCaseOk(const ProgramResult& result, int ranks) {
  expectAllOk(result, ranks);
  EXPECT_THAT(result.output, testing::ContainsRegex("ok, [0-9]{4,} cases"));
}

class Matrix : public testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(Matrix, EveryAlgorithmTypeAndOp_GivesTheRightData) {
  const auto& [transport, ranks] = GetParam();
  expectEveryCaseOk(underAtoll(ranks, {MATRIX_WORKER}, {"ATOLL_TRANSPORT=" + transport}), ranks);
}

INSTANTIATE_TEST_SUITE_P(Over, Matrix, testing::Combine(testing::Values("shm", "tcp"), testing::ValuesIn(kRanks)),
                         [](const auto& chosen) {
                           return std::get<0>(chosen.param) + "_" + std::to_string(std::get<1>(chosen.param));
                         });

/// UCX over its own tcp and shared memory: a number of ranks that is none of the powers of two.
class MatrixOverUcx : public testing::TestWithParam<const char*> {};

TEST_P(MatrixOverUcx, EveryAlgorithmTypeAndOp_GivesTheRightData) {
  if (const auto reason = cannotUseUcx(COLLECTIVES_WORKER); !reason.empty()) GTEST_SKIP() << reason;
  const Environment environment = {"ATOLL_TRANSPORT=ucx", std::string("UCX_TLS=") + GetParam()};
  expectEveryCaseOk(underAtoll(3, {MATRIX_WORKER}, environment), 3);
}

INSTANTIATE_TEST_SUITE_P(Tls, MatrixOverUcx, testing::Values("tcp", "posix"),
                         [](const auto& tls) { return std::string(tls.param); });

TEST(MatrixOverRdma, EveryAlgorithmTypeAndOp_GivesTheRightData) {
  const auto environment = rdmaOverFake();
  if (environment.empty()) GTEST_SKIP() << "there is no fake libibverbs: libibverbs's headers were not found";
  expectEveryCaseOk(underAtoll(3, {MATRIX_WORKER}, environment), 3);
}

/// Over Atoll's own plug-in for NCCL, so that both directions are at work: a transport that is a plug-in that is a
/// transport.
class MatrixOverNcclNet : public testing::TestWithParam<const char*> {};

TEST_P(MatrixOverNcclNet, EveryAlgorithmTypeAndOp_GivesTheRightData) {
  auto environment = ncclNetOverAtoll(GetParam());
  if (environment.empty()) GTEST_SKIP() << "this build has no plug-in that can carry data by " << GetParam();
  expectEveryCaseOk(underAtoll(3, {MATRIX_WORKER}, environment), 3);
}

INSTANTIATE_TEST_SUITE_P(By, MatrixOverNcclNet, testing::Values("tcp", "rdma"),
                         [](const auto& transport) { return std::string(transport.param); });

/// Ranks, and the worker's argument.
class MatrixInPlace : public testing::TestWithParam<std::tuple<int, const char*>> {};

TEST_P(MatrixInPlace, MessagesReadWhereTheyLie_GiveTheRightData) {
  const auto [ranks, buffers] = GetParam();
  const auto result = underAtoll(ranks, {MATRIX_WORKER, buffers}, {"ATOLL_TRANSPORT=shm", "ATOLL_DEBUG=link"});
  if (result.errors.find("cannot be mapped here") != std::string::npos) {
    GTEST_SKIP() << "this system lets no process open another one's files";
  }
  expectEveryCaseOk(result, ranks);
  EXPECT_THAT(result.errors, testing::HasSubstr("is read in place"));
}

INSTANTIATE_TEST_SUITE_P(Ranks, MatrixInPlace,
                         testing::Values(std::tuple{2, "shareable"}, std::tuple{3, "shareable"},
                                         std::tuple{5, "shareable"}, std::tuple{4, "mixed"}),
                         [](const auto& chosen) {
                           return fmt::format("{}_{}", std::get<0>(chosen.param), std::get<1>(chosen.param));
                         });

class MatrixUnderOpenMpi : public testing::TestWithParam<int> {};

TEST_P(MatrixUnderOpenMpi, EveryAlgorithmTypeAndOp_GivesTheRightData) {
  if (const auto reason = cannotUse("mpirun.openmpi", "openmpi-bin"); !reason.empty()) GTEST_SKIP() << reason;
  const std::string ranks = std::to_string(GetParam());
  expectEveryCaseOk(runProgram({"mpirun.openmpi", "--oversubscribe", "-n", ranks, MATRIX_WORKER}, kUnderMpi),
                    GetParam());
}

INSTANTIATE_TEST_SUITE_P(Ranks, MatrixUnderOpenMpi, testing::Values(3, 4),
                         [](const auto& chosen) { return std::to_string(chosen.param); });

}  // namespace
}  // namespace atl::test
