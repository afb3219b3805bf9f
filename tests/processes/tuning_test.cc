// SPDX-License-Identifier: Apache-2.0
// Tuning tables between real processes: one decides, and processes that were given different ones are told so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kWorker = {COLLECTIVES_WORKER, "300"};

class Tuning : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-process-tuning-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// A table in which one algorithm was fastest for every all-reduce of three processes.
  [[nodiscard]] std::string tableOf(const std::string& algorithm) const {
    const std::string path = folder_ / (algorithm + ".json");
    std::ofstream(path) << R"({"format":"atoll-tuning","version":1,"sites":[{"ranks":3,"hosts":1,"links":"shm",)"
                        << R"("collectives":{"allreduce":[{"bytes":1024,"microseconds":{")" << algorithm
                        << R"(":5}}]}}]})";
    return path;
  }

  std::filesystem::path folder_;
};

TEST_F(Tuning, Table_DecidesAndIsNamed) {
  for (const std::string algorithm : {"ring", "circulant"}) {
    const std::string table = tableOf(algorithm);
    const auto result = underAtoll(3, kWorker, {"ATOLL_TUNING=" + table, "ATOLL_DEBUG=plan"});
    expectAllOk(result, 3);
    EXPECT_THAT(result.errors, HasSubstr(": " + algorithm + " 5 µs, measured at 1 KiB on 3 ranks on 1 host over shm"));
    EXPECT_THAT(result.errors, HasSubstr("(tuning table " + table + ")"));
  }
}

TEST_F(Tuning, TableOfOtherLinks_DecidesNothing) {
  const auto result =
      underAtoll(3, kWorker, {"ATOLL_TUNING=" + tableOf("ring"), "ATOLL_TRANSPORT=tcp", "ATOLL_DEBUG=plan"});
  expectAllOk(result, 3);
  EXPECT_THAT(result.errors, Not(HasSubstr("measured")));
}

TEST_F(Tuning, DifferentTables_AreNamedByEveryRankAtTheCall) {
  const std::string ring = tableOf("ring");
  const std::string circulant = tableOf("circulant");
  const auto result = runProgram({ATOLL_PROGRAM, "run", "-n", "3", "--keep-going", "--", "sh", "-c",
                                  "[ $ATOLL_RANK = 2 ] && table=" + circulant + " || table=" + ring +
                                      "; ATOLL_TUNING=$table exec " COLLECTIVES_WORKER});
  EXPECT_NE(result.code, 0);
  std::size_t told = 0;
  for (const std::string& line : linesOf(result.errors)) {
    if (line.find("ranks disagree on the tuning table: rank 0 (") == std::string::npos) continue;
    ++told;
    EXPECT_THAT(line, AllOf(HasSubstr("rank 2 ("), HasSubstr("ATOLL_TUNING")));
  }
  EXPECT_EQ(told, 3U) << result.errors;
}

TEST_F(Tuning, TableOnOneRankOnly_IsNamedByTheOthersToo) {
  const auto result =
      runProgram({ATOLL_PROGRAM, "run", "-n", "2", "--keep-going", "--", "sh", "-c",
                  "[ $ATOLL_RANK = 1 ] && export ATOLL_TUNING=" + tableOf("ring") + "; exec " COLLECTIVES_WORKER});
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("0: "), HasSubstr("1: "), HasSubstr("has no table that can be read")));
}

TEST_F(Tuning, ForcedAlgorithms_NeedNoAgreementOnTables) {
  const auto result =
      runProgram({ATOLL_PROGRAM, "run", "-n", "2", "--", "sh", "-c",
                  "[ $ATOLL_RANK = 1 ] && export ATOLL_TUNING=" + tableOf("ring") + "; exec " COLLECTIVES_WORKER},
                 {"ATOLL_ALGO=one-shot,two-shot,reducescatter:two-shot,alltoall:direct,gather:direct,scatter:direct,"
                  "barrier:dissemination"});
  expectAllOk(result, 2);
}

}  // namespace
}  // namespace atl::test
