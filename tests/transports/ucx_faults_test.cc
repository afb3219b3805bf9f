// SPDX-License-Identifier: Apache-2.0
// UCX links when a function of UCX fails: each that can, at each of its first calls. Either the call is done without,
// or there is an error that says what UCX said; nothing of UCX's is left, and the next link works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "tests/support/rank_pair.h"
#include "tests/transports/failing_ucx.h"
#include "tests/transports/message_traffic.h"
#include "transports/ucx/ucx.h"

namespace atl {
namespace {

using testing::HasSubstr;

/// Two ranks join, send each other messages small and large, and wait once as ranks do that sleep.
Status useUcx() {
  Settings settings;
  settings.transports = "ucx";
  settings.timeoutSeconds = 20;
  test::RankPair ranks(settings);
  ATOLL_ASSIGN(auto ends, ranks.join(0));
  const auto lower = std::get<std::unique_ptr<MessageLink>>(std::move(ends.first));
  const auto higher = std::get<std::unique_ptr<MessageLink>>(std::move(ends.second));
  const std::vector<std::size_t> sizes = {0, 8, 3'000, 50'000, 700'000, 1, 300'000};
  test::PieceStream<SendPiece> upOut(*lower, sizes, 1, 11);
  test::PieceStream<ReceivePiece> upIn(*higher, sizes, 1, 12);
  test::PieceStream<SendPiece> downOut(*higher, sizes, 2, 13);
  test::PieceStream<ReceivePiece> downIn(*lower, sizes, 2, 14);
  const auto deadline = Deadline::inSeconds(60);
  Status outcome = success();
  for (bool more = true; more && outcome.ok();) {
    more = test::stepBoth(upOut, upIn);
    more |= test::stepBoth(downOut, downIn);
    for (auto* const link : {lower.get(), higher.get()}) {
      std::vector<pollfd> fds;
      link->wanted(fds);
      auto moved = link->progress();
      if (!moved.ok()) outcome = std::move(moved).error();
    }
    if (deadline.passed()) outcome = makeError(ErrorCode::timeout, "the traffic does not end");
  }
  if (!outcome.ok()) {
    // The streams' pieces go before the links.
    lower->cancel();
    higher->cancel();
  }
  return outcome;
}

/// A function, and what UCX is to use.
class UcxFault : public testing::TestWithParam<std::tuple<std::string, const char*>> {
 protected:
  void SetUp() override {
    if (const auto why = whyNoUcx(); !why.empty()) GTEST_SKIP() << why;
    ::setenv("UCX_TLS", std::get<1>(GetParam()), 1);
  }
  void TearDown() override { ::unsetenv("UCX_TLS"); }
};

/// What can fail and is no reason to fail: of the configuration, of sleeping, of closing.
bool isDispensable(const std::string& function) {
  return function == "configModify" || function == "workerArm" || function == "epCloseNbx" ||
         function == "requestCheckStatus";
}

TEST_P(UcxFault, IsAnErrorThatSaysWhatOrIsDoneWithout) {
  const std::string& function = std::get<0>(GetParam());
  int failed = 0;
  for (const int which : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 17, 21, 26}) {
    const test::FailingUcx failing(function, which);
    const auto outcome = useUcx();
    EXPECT_EQ(failing.held(), "") << "after call " << which << ", which failed";
    if (failing.calls() < which) {
      EXPECT_TRUE(outcome.ok()) << outcome.error().text;
      break;
    }
    ++failed;
    if (isDispensable(function)) {
      EXPECT_TRUE(outcome.ok()) << which << ": " << outcome.error().text;
      continue;
    }
    ASSERT_FALSE(outcome.ok()) << which;
    EXPECT_NE(outcome.error().code, ErrorCode::timeout) << which << ": " << outcome.error().text;
    EXPECT_THAT(outcome.error().text, HasSubstr("UCX says: "));
  }
  // UCX need not have anything left to do when an endpoint is closed, nor be configured for shared memory.
  const bool rare = function == "requestCheckStatus" || function == "configModify";
  EXPECT_GE(failed, rare ? 0 : 1) << "it is not called";
  const test::FailingUcx counting("", 0);
  const auto outcome = useUcx();
  EXPECT_TRUE(outcome.ok()) << outcome.error().text;
  EXPECT_EQ(counting.held(), "");
}

INSTANTIATE_TEST_SUITE_P(Each, UcxFault,
                         testing::Combine(testing::ValuesIn(test::FailingUcx::functions()),
                                          testing::Values("tcp", "posix,tcp")),
                         [](const auto& chosen) {
                           const bool shared = std::get<1>(chosen.param) != std::string_view("tcp");
                           return std::get<0>(chosen.param) + (shared ? "OverMemory" : "OverTcp");
                         });

}  // namespace
}  // namespace atl
