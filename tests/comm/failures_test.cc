// SPDX-License-Identifier: Apache-2.0
// How calls fail: ranks that disagree, that do not come, that leave, and abort.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "tests/support/rank_threads.h"

namespace atl {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Call allReduceOf(std::vector<float>& buffer, std::size_t count, DataType type = DataType::float32,
                 ReduceOp op = ReduceOp::sum) {
  Call call;
  call.collective = Collective::allReduce;
  call.send = call.recv = buffer.data();
  call.count = count;
  call.type = type;
  call.op.op = op;
  return call;
}

/// Runs one call on each rank and gives the statuses.
std::vector<Status> onEach(std::vector<std::unique_ptr<Communicator>>& communicators,
                           const std::function<Status(Rank)>& body) {
  std::vector<Status> statuses(communicators.size(), success());
  test::onThreads(static_cast<Rank>(communicators.size()),
                  [&](Rank r) { statuses[static_cast<std::size_t>(r)] = body(r); });
  return statuses;
}

struct Disagreement {
  const char* what;
  std::function<Call(Rank, std::vector<float>&)> call;
};

class DisagreeingRanks : public testing::TestWithParam<Disagreement> {};

TEST_P(DisagreeingRanks, EveryRankLearnsWhoCalledWhat) {
  auto communicators = test::communicators(2, test::testSettings());
  std::array<std::vector<float>, 2> buffers = {std::vector<float>(64), std::vector<float>(64)};
  const auto statuses = onEach(communicators, [&](Rank r) {
    auto& buffer = buffers[static_cast<std::size_t>(r)];
    auto status = communicators[static_cast<std::size_t>(r)]->run(GetParam().call(r, buffer));
    if (!status.ok()) return status;
    // Two broadcasts with different roots are both done when their messages are posted; the next call finds them.
    return communicators[static_cast<std::size_t>(r)]->run(allReduceOf(buffer, 8));
  });
  for (const Status& status : statuses) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::mismatch) << status.error().text;
    EXPECT_THAT(status.error().text, AllOf(HasSubstr("rank 0"), HasSubstr("rank 1"), HasSubstr(GetParam().what)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, DisagreeingRanks,
    testing::Values(Disagreement{"count", [](Rank r, auto& b) { return allReduceOf(b, r == 0 ? 8 : 9); }},
                    Disagreement{"type",
                                 [](Rank r, auto& b) {
                                   return allReduceOf(b, 8, r == 0 ? DataType::float32 : DataType::int32);
                                 }},
                    Disagreement{"op",
                                 [](Rank r, auto& b) {
                                   return allReduceOf(b, 8, DataType::float32, r == 0 ? ReduceOp::sum : ReduceOp::max);
                                 }},
                    Disagreement{"root",
                                 [](Rank r, auto& b) {
                                   Call call = allReduceOf(b, 8);
                                   call.collective = Collective::broadcast;
                                   call.root = r;
                                   return call;
                                 }},
                    Disagreement{"collective",
                                 [](Rank r, auto& b) {
                                   Call call = allReduceOf(b, 8);
                                   if (r == 0) call.collective = Collective::allToAll;
                                   return call;
                                 }}),
    [](const auto& chosen) { return std::string(chosen.param.what); });

TEST(Failures, RankThatDoesNotCome_IsNamedAtTheTimeLimit) {
  Settings settings = test::testSettings();
  settings.timeoutSeconds = 0.2;
  auto communicators = test::communicators(3, settings);
  std::vector<float> buffer(8);
  const Status status = communicators[0]->run(allReduceOf(buffer, 8));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::timeout);
  EXPECT_THAT(status.error().text,
              AllOf(HasSubstr("rank 1"), HasSubstr("rank 2"), HasSubstr("allreduce"), HasSubstr("inproc")));
}

TEST(Failures, ErrorOfOneRank_ReachesTheOthers) {
  Settings settings = test::testSettings();
  settings.timeoutSeconds = 0.2;
  auto communicators = test::communicators(3, settings);
  std::vector<float> buffer(8);
  ASSERT_FALSE(communicators[0]->run(allReduceOf(buffer, 8)).ok());
  const Status status = communicators[1]->run(allReduceOf(buffer, 8));
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().text, HasSubstr("rank 0"));
}

TEST(Failures, AbortFromAnotherThread_EndsTheCallOnEveryRank) {
  auto communicators = test::communicators(3, test::testSettings());
  std::atomic<int> started{0};
  std::thread aborter([&] {
    while (started.load() < 2) std::this_thread::yield();
    communicators[2]->abort();
  });
  // Rank 2 never calls, so the others wait until the abort.
  const auto statuses = onEach(communicators, [&](Rank r) -> Status {
    if (r == 2) return success();
    std::vector<float> buffer(1 << 20);
    ++started;
    return communicators[static_cast<std::size_t>(r)]->run(allReduceOf(buffer, buffer.size()));
  });
  aborter.join();
  for (const Rank r : {0, 1}) {
    const Status& status = statuses[static_cast<std::size_t>(r)];
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::aborted);
    EXPECT_THAT(status.error().text, HasSubstr("rank 2"));
  }
  EXPECT_FALSE(communicators[2]->failure().ok());
}

TEST(Failures, RankThatLeft_IsNamed) {
  auto communicators = test::communicators(2, test::testSettings());
  communicators[1].reset();
  std::vector<float> buffer(8);
  const Status status = communicators[0]->run(allReduceOf(buffer, 8));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::remoteError);
  EXPECT_THAT(status.error().text, AllOf(HasSubstr("rank 1"), HasSubstr("destroyed")));
}

TEST(Failures, UnknownAlgorithm_IsRefusedWhenTheCommunicatorIsMade) {
  Settings settings = test::testSettings();
  settings.algorithms = "allreduce:no-such";
  auto made = Communicator::create(Session::local(1, settings), 0, settings);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().text, HasSubstr("no-such"));
}

}  // namespace
}  // namespace atl
