// SPDX-License-Identifier: Apache-2.0
// Topologies between real processes: told by file and by island, printed once, and different files found out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<std::string> kWorker = {COLLECTIVES_WORKER, "300"};

class TopologyOfAJob : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-process-topology-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string fileOf(const std::string& name, const std::string& members) const {
    const std::string path = folder_ / (name + ".yaml");
    std::ofstream(path) << "{atoll-topology: 1, name: " << name
                        << ", levels: [{name: host, kind: switch, members: " << members
                        << "}, {name: net, kind: switch, members: 2}]}\n";
    return path;
  }

  std::filesystem::path folder_;
};

std::size_t linesWith(const std::string& text, const std::string& part) {
  const auto lines = linesOf(text);
  return static_cast<std::size_t>(
      std::ranges::count_if(lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
}

TEST_F(TopologyOfAJob, File_IsPrintedOnce) {
  const auto result = underAtoll(3, kWorker, {"ATOLL_TOPOLOGY=" + fileOf("small", "[1, 2]"), "ATOLL_DEBUG=topology"});
  expectAllOk(result, 3);
  EXPECT_EQ(linesWith(result.errors, "topology: small: 3 ranks on 2 levels"), 1U) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("└─ host 1: 2 ranks: 1-2"));
}

TEST_F(TopologyOfAJob, Islands_AreToldRankByRank) {
  const auto result = runProgram({ATOLL_PROGRAM, "run", "-n", "4", "--", "sh", "-c",
                                  "ATOLL_ISLAND=pod$((ATOLL_RANK / 2))/host$ATOLL_RANK exec " COLLECTIVES_WORKER},
                                 {"ATOLL_DEBUG=topology"});
  expectAllOk(result, 4);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("pod1: 2 ranks"), HasSubstr("host3: 1 rank: 3")));
}

TEST_F(TopologyOfAJob, DifferentFiles_AreNamedByEveryRankAtItsStart) {
  const std::string one = fileOf("one", "[1, 2]");
  const std::string two = fileOf("two", "[2, 1]");
  const auto result = runProgram(
      {ATOLL_PROGRAM, "run", "-n", "3", "--keep-going", "--", "sh", "-c",
       "[ $ATOLL_RANK = 2 ] && file=" + two + " || file=" + one + "; ATOLL_TOPOLOGY=$file exec " COLLECTIVES_WORKER});
  EXPECT_NE(result.code, 0);
  EXPECT_EQ(linesWith(result.errors, "ranks disagree on the topology: rank 0 ("), 3U) << result.errors;
  EXPECT_THAT(result.errors, AllOf(HasSubstr("rank 2 ("), HasSubstr("ATOLL_TOPOLOGY")));
}

TEST_F(TopologyOfAJob, IslandsOfDifferentDepth_AreNamed) {
  const auto result = runProgram({ATOLL_PROGRAM, "run", "-n", "2", "--keep-going", "--", "sh", "-c",
                                  "[ $ATOLL_RANK = 1 ] && export ATOLL_ISLAND=a/b; exec " COLLECTIVES_WORKER});
  EXPECT_NE(result.code, 0);
  EXPECT_EQ(linesWith(result.errors, "rank 0 has no island, rank 1 has 'a/b'"), 2U) << result.errors;
}

}  // namespace
}  // namespace atl::test
