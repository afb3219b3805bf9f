// SPDX-License-Identifier: Apache-2.0
// A tuning table at work in a communicator of threads: it decides, it is passed over where it says nothing, and ranks
// that choose by different tables find out at the call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/rank_threads.h"

namespace atl {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::size_t kCount = 256;
constexpr std::uint64_t kBytes = kCount * sizeof(float);

class TuningInACommunicator : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("atoll-comm-tuning-{}", ::getpid());
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Settings with a table of its own name, for a file is read once in a process: `algorithm` was fastest for an
  /// all-reduce of kBytes on so many threads.
  [[nodiscard]] Settings settingsWith(std::string_view algorithm, Rank ranks = 3) const {
    const auto path =
        folder_ /
        fmt::format("{}-{}-{}.json", testing::UnitTest::GetInstance()->current_test_info()->name(), algorithm, ranks);
    std::ofstream(path) << fmt::format(
        R"({{"format":"atoll-tuning","version":1,"sites":[{{"ranks":{},"hosts":1,"links":"inproc",)"
        R"("collectives":{{"allreduce":[{{"bytes":{},"microseconds":{{"{}":1}}}}]}}}}]}})",
        ranks, kBytes, algorithm);
    Settings settings = test::testSettings();
    settings.tuningFile = path;
    return settings;
  }

  std::filesystem::path folder_;
};

AlgorithmChoice choiceOf(const Communicator& communicator) {
  auto choice = communicator.choiceFor(Collective::allReduce, kBytes);
  EXPECT_TRUE(choice.ok()) << choice.error().text;
  return choice.ok() ? std::move(choice).value() : AlgorithmChoice{};
}

/// An all-reduce of ones on every rank; the errors, or a wrong sum as one.
std::vector<Status> allReduce(std::vector<std::unique_ptr<Communicator>>& communicators) {
  std::vector<Status> statuses(communicators.size(), success());
  test::onThreads(static_cast<Rank>(communicators.size()), [&](Rank r) {
    const std::vector<float> in(kCount, 1.0F);
    std::vector<float> out(kCount);
    Call call;
    call.collective = Collective::allReduce;
    call.send = in.data();
    call.recv = out.data();
    call.count = kCount;
    call.type = DataType::float32;
    auto status = communicators[static_cast<std::size_t>(r)]->run(call);
    if (status.ok() && out != std::vector<float>(kCount, static_cast<float>(communicators.size()))) {
      status = makeError(ErrorCode::internalError, "rank {} has a wrong sum", r);
    }
    statuses[static_cast<std::size_t>(r)] = std::move(status);
  });
  return statuses;
}

TEST_F(TuningInACommunicator, TableDecides) {
  for (const std::string_view algorithm : {"ring", "circulant", "two-shot"}) {
    auto communicators = test::communicators(3, settingsWith(algorithm));
    const AlgorithmChoice choice = choiceOf(*communicators[0]);
    EXPECT_EQ(choice.algorithm, algorithm);
    EXPECT_EQ(choice.by, plan::Decision::By::table);
    EXPECT_DOUBLE_EQ(choice.seconds, 1e-6);
    EXPECT_FALSE(choice.ofModel.empty());
    for (const Status& status : allReduce(communicators)) EXPECT_TRUE(status.ok()) << status.error().text;
  }
}

TEST_F(TuningInACommunicator, TableOfAnotherNumberOfRanks_LeavesItToTheModel) {
  auto communicators = test::communicators(3, settingsWith("ring", 4));
  EXPECT_EQ(choiceOf(*communicators[0]).by, plan::Decision::By::model);
}

TEST_F(TuningInACommunicator, ForcedAlgorithm_GoesBeforeTheTable) {
  Settings settings = settingsWith("ring");
  settings.algorithms = "allreduce:one-shot";
  auto communicators = test::communicators(3, settings);
  EXPECT_EQ(choiceOf(*communicators[0]).algorithm, "one-shot");
  EXPECT_EQ(choiceOf(*communicators[0]).by, plan::Decision::By::user);
}

TEST_F(TuningInACommunicator, TableThatIsNotThere_IsAnErrorThatNamesVariableAndFile) {
  Settings settings = test::testSettings();
  settings.tuningFile = folder_ / "nothing.json";
  const auto made = Communicator::create(Session::local(1, settings), 0, settings);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().text, AllOf(HasSubstr("ATOLL_TUNING"), HasSubstr("nothing.json")));
}

TEST_F(TuningInACommunicator, RanksWithDifferentTables_FindOutAtTheCall) {
  // Threads share the process's table; configurations of their own get past that, and the plans' hashes tell.
  const Settings one = settingsWith("one-shot", 2);
  const Settings other = settingsWith("two-shot", 2);
  auto session = Session::local(2, one);
  std::vector<std::unique_ptr<Communicator>> communicators;
  for (const Settings* settings : {&one, &other}) {
    auto made = Communicator::create(session, static_cast<Rank>(communicators.size()), *settings);
    ASSERT_TRUE(made.ok()) << made.error().text;
    communicators.push_back(std::move(made).value());
  }
  for (const Status& status : allReduce(communicators)) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::mismatch) << status.error().text;
    EXPECT_THAT(status.error().text, AllOf(HasSubstr("rank 0 is in allreduce"), HasSubstr("rank 1 is in allreduce"),
                                           HasSubstr("tuning tables")));
  }
}

}  // namespace
}  // namespace atl
