// SPDX-License-Identifier: Apache-2.0
// `atoll tune` as users start it: what it writes is a table that decides, and what was there is never half replaced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "src/plan/tuning_file.h"
#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A tuning that takes moments.
const std::vector<std::string> kShort = {"-b", "8", "-e", "64K", "-f", "64", "-n", "3", "--sample-time", "1e-5"};

class TuneCommand : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-tune-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file() const { return folder_ / "table.json"; }
  [[nodiscard]] std::vector<std::string> tune(std::vector<std::string> extra = {}) const {
    std::vector<std::string> command{ATOLL_PROGRAM, "tune", "-o", file()};
    command.insert(command.end(), kShort.begin(), kShort.end());
    command.insert(command.end(), extra.begin(), extra.end());
    return command;
  }
  [[nodiscard]] plan::TuningTable table() const {
    auto read = plan::readTuningFile(file());
    EXPECT_TRUE(read.ok()) << read.error().text;
    return read.ok() ? std::move(read).value().table : plan::TuningTable{};
  }
  [[nodiscard]] std::ptrdiff_t filesThere() const {
    return std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator());
  }

  std::filesystem::path folder_;
};

TEST_F(TuneCommand, Processes_WriteATableOfEveryCollectiveThatDecidesAfterwards) {
  const auto result = underAtoll(3, tune(), {});
  ASSERT_EQ(result.code, 0) << result.output << result.errors;
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("Fastest for 3 ranks on 1 host over shm"),
                    HasSubstr("Without a table, the choice is within 10 %"), HasSubstr("ATOLL_TUNING=" + file())));
  const plan::TuningTable written = table();
  ASSERT_EQ(written.sites().size(), 1U);
  const plan::TunedSite& site = written.sites().front();
  EXPECT_EQ(site.site, (plan::TuningSite{3, 1, "shm"}));
  for (const Collective collective :
       {Collective::allReduce, Collective::allGather, Collective::reduceScatter, Collective::broadcast,
        Collective::reduce, Collective::allToAll, Collective::gather, Collective::scatter}) {
    ASSERT_EQ(site.of(collective).size(), 3U) << nameOf(collective);
    for (const auto& row : site.of(collective)) EXPECT_GE(row.times.size(), 2U) << nameOf(collective);
  }
  const auto used = underAtoll(3, {COLLECTIVES_WORKER, "300"}, {"ATOLL_TUNING=" + file(), "ATOLL_DEBUG=plan"});
  expectAllOk(used, 3);
  EXPECT_THAT(used.errors, HasSubstr("measured at"));
}

TEST_F(TuneCommand, ThreadsOfOneProcess_AreASiteOfTheirOwnBesideTheOthers) {
  ASSERT_EQ(underAtoll(2, tune({"--coll", "allreduce"}), {}).code, 0);
  const auto result = runProgram(tune({"-t", "2", "--coll", "broadcast,reduce", "--merge"}));
  ASSERT_EQ(result.code, 0) << result.output << result.errors;
  const plan::TuningTable written = table();
  const plan::TunedSite* const threads = written.at({2, 1, "inproc"});
  const plan::TunedSite* const processes = written.at({2, 1, "shm"});
  ASSERT_NE(threads, nullptr);
  ASSERT_NE(processes, nullptr);
  EXPECT_FALSE(processes->of(Collective::allReduce).empty());
  EXPECT_FALSE(threads->of(Collective::broadcast).empty());
  EXPECT_TRUE(threads->of(Collective::allReduce).empty());
}

TEST_F(TuneCommand, WithoutMerge_OnlyTheNewSiteIsThere) {
  ASSERT_EQ(runProgram(tune({"-t", "2", "--coll", "gather"})).code, 0);
  ASSERT_EQ(runProgram(tune({"-t", "3", "--coll", "gather"})).code, 0);
  const plan::TuningTable written = table();
  ASSERT_EQ(written.sites().size(), 1U);
  EXPECT_EQ(written.sites().front().site.ranks, 3);
}

TEST_F(TuneCommand, UserSettings_DoNotDisturbTheMeasurement) {
  const auto result = runProgram(tune({"-t", "2", "--coll", "allreduce"}), {"ATOLL_ALGO=ring"});
  ASSERT_EQ(result.code, 0) << result.output << result.errors;
  EXPECT_GT(table().sites().front().of(Collective::allReduce).front().times.size(), 3U);
}

TEST_F(TuneCommand, Interrupted_LeavesWhatWasThere) {
  std::ofstream(file()) << "what was there";
  // Long enough that the signal comes in its midst.
  ProgramRun run({ATOLL_PROGRAM, "tune", "-t", "2", "-o", file(), "--sample-time", "10", "--coll", "gather"},
                 {"ATOLL_DEBUG=plan"});
  for (int i = 0; i < 20000 && run.errors().find("gather") == std::string::npos; ++i) ::usleep(1000);
  run.signal(SIGINT);
  EXPECT_EQ(run.wait().code, 128 + SIGINT);
  std::ifstream content(file());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(content), {}), "what was there");
  EXPECT_EQ(filesThere(), 1);
}

TEST_F(TuneCommand, FileThatIsNoTable_IsNotMergedWithAndStays) {
  std::ofstream(file()) << R"({"format":"atoll-plan"})";
  const auto result = runProgram(tune({"-t", "2", "--merge"}));
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.errors, AllOf(HasSubstr(file()), HasSubstr("\"atoll-plan\" is not \"atoll-tuning\"")));
  EXPECT_EQ(std::filesystem::file_size(file()), 23U);
}

TEST_F(TuneCommand, PlaceThatCannotBeWritten_IsToldBeforeMeasuring) {
  const auto result = runProgram({ATOLL_PROGRAM, "tune", "-t", "2", "-o", "/nonexistent-folder/table.json"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.errors, HasSubstr("/nonexistent-folder/table.json"));
}

TEST_F(TuneCommand, OneRankAlone_IsToldHowToStartSeveral) {
  const auto result = runProgram(tune());
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.errors, HasSubstr("atoll run -n 4"));
}

TEST_F(TuneCommand, UnknownCollective_IsRefusedByName) {
  const auto result = runProgram(tune({"-t", "2", "--coll", "barrier"}));
  EXPECT_NE(result.code, 0);
  EXPECT_THAT(result.errors + result.output, HasSubstr("'barrier'"));
}

}  // namespace
}  // namespace atl::test
