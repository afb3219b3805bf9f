// SPDX-License-Identifier: Apache-2.0
// Links over a plug-in of each version that does whatever the interface allows and takes nothing that it forbids.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "tests/ncclnet/strict_library.h"
#include "tests/support/rank_pair.h"
#include "tests/transports/message_traffic.h"
#include "transports/declared_memory.h"
#include "transports/ncclnet/net.h"

namespace atl {
namespace {

using test::receiveWhole;
using test::sendWhole;
using testing::HasSubstr;

class NcclNetLink : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    settings_.transports = "ncclnet";
    settings_.ncclNet.plugins = test::strictLibrary(GetParam());
    settings_.timeoutSeconds = 30;
    before_ = control().state();
  }
  /// Nothing of what a test did is left, and nothing was taken away from under a request.
  void TearDown() override {
    leave();
    const auto after = control().state();
    EXPECT_EQ(after.connections, 0);
    EXPECT_EQ(after.registrations, 0);
    EXPECT_EQ(after.requests, 0);
    EXPECT_EQ(after.initialised, GetParam() >= 11 ? 0 : 1);
  }

  [[nodiscard]] const test::StrictControl& control() const { return test::strictControl(GetParam()); }

  Status join(int lane = 0) {
    if (!ranks_) ranks_.emplace(settings_);
    ATOLL_ASSIGN(auto ends, ranks_->join(lane));
    lower_ = std::get<std::unique_ptr<MessageLink>>(std::move(ends.first));
    higher_ = std::get<std::unique_ptr<MessageLink>>(std::move(ends.second));
    return success();
  }
  void leave() {
    lower_.reset();
    higher_.reset();
    ranks_.reset();
  }

  /// Both ends in turns, until all is through or one fails.
  Status exchange(const std::vector<std::size_t>& up, const std::vector<std::size_t>& down) {
    test::PieceStream<SendPiece> lowerOut(*lower_, up, 1, 2);
    test::PieceStream<ReceivePiece> lowerIn(*lower_, down, 3, 4);
    test::PieceStream<SendPiece> higherOut(*higher_, down, 3, 6);
    test::PieceStream<ReceivePiece> higherIn(*higher_, up, 1, 8);
    const auto deadline = Deadline::inSeconds(60);
    while (!deadline.passed()) {
      const bool lower = test::stepBoth(lowerOut, lowerIn);
      const bool higher = test::stepBoth(higherOut, higherIn);
      if (!lower && !higher) return success();
      Status status = success();
      for (auto* const link : {lower_.get(), higher_.get()}) {
        if (auto moved = link->progress(); !moved.ok() && status.ok()) status = std::move(moved).error();
      }
      if (status.ok()) continue;
      // The pieces go before the links do.
      lower_->cancel();
      higher_->cancel();
      return status;
    }
    ADD_FAILURE() << "nothing moves";
    lower_->cancel();
    higher_->cancel();
    return success();
  }

  Settings settings_;
  test::StrictState before_;
  std::optional<test::RankPair> ranks_;
  std::unique_ptr<MessageLink> lower_;
  std::unique_ptr<MessageLink> higher_;
};

TEST_P(NcclNetLink, KeepsToTheInterfaceInTrafficBothWays) {
  const auto joined = join();
  ASSERT_TRUE(joined.ok()) << joined.error().text;
  EXPECT_THAT(lower_->describe(), HasSubstr(ncclnet::symbolOf(GetParam()) + ", Strict) strict"));
  const auto up = test::mixedSizes(3, 4 << 20, 8 << 20);
  const auto down = test::mixedSizes(5, 1 << 20, 3 << 20);
  std::thread higher([&] { test::runEnd(*higher_, down, up, 200, 100); });
  test::runEnd(*lower_, up, down, 100, 200);
  higher.join();
  leave();
  EXPECT_EQ(control().state().closedEarly, before_.closedEarly);
}

TEST_P(NcclNetLink, DeclaredMemoryIsRegisteredOnceForEachDirectionUntilItsDeclarationEnds) {
  ASSERT_TRUE(join().ok());
  const auto sent = test::messageContent(1'500'000, 1, 9);
  std::vector<std::byte> got(sent.size());
  std::optional<Declaration> from(std::in_place, const_cast<std::byte*>(sent.data()), sent.size());
  std::optional<Declaration> to(std::in_place, got.data(), got.size());
  for (int turn = 0; turn < 2; ++turn) {
    std::fill(got.begin(), got.end(), std::byte{});
    auto out = sendWhole(sent);
    auto in = receiveWhole(got);
    lower_->post(out);
    higher_->post(in);
    const auto deadline = Deadline::inSeconds(30);
    while (!(out.done && in.done) && !deadline.passed()) {
      ASSERT_TRUE(lower_->progress().ok());
      ASSERT_TRUE(higher_->progress().ok());
    }
    ASSERT_TRUE(got == sent);
    // Of each end the memory, and what headers lie in: no block was copied.
    EXPECT_EQ(control().state().registrations, 4);
  }
  from.reset();
  EXPECT_EQ(control().state().registrations, 3);
  to.reset();
  EXPECT_EQ(control().state().registrations, 2);
}

TEST_P(NcclNetLink, CancelEndsWhatIsUnderWayAndClosesAll) {
  ASSERT_TRUE(join().ok());
  const std::vector<std::byte> data(4 << 20);
  std::vector<std::byte> room(4 << 20);
  auto out = sendWhole(data);
  auto in = receiveWhole(room);
  lower_->post(out);
  higher_->post(in);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(lower_->progress().ok());
    ASSERT_TRUE(higher_->progress().ok());
  }
  lower_->cancel();
  higher_->cancel();
  EXPECT_EQ(control().state().connections, 0);
  EXPECT_EQ(control().state().requests, 0);
  EXPECT_EQ(lower_->progress().error().code, ErrorCode::aborted);
}

struct FaultyCall {
  const char* name;
  bool fatal;  ///< to the link; else it is warned of, or there is another way
};

/// Every function, refused at the first, second, … call of it in the same traffic, until there is no such call.
TEST_P(NcclNetLink, AFailureOfAnyCallAtAnyTimeIsAnErrorThatNamesItAndLeavesNothing) {
  constexpr FaultyCall kCalls[] = {
      {"init", true},       {"listen", true},       {"connect", true},  {"accept", true},   {"regMr", true},
      {"isend", true},      {"irecv", true},        {"test", true},     {"deregMr", false}, {"closeSend", false},
      {"closeRecv", false}, {"closeListen", false}, {"finalize", false}};
  const std::vector<std::size_t> sizes = {10, 0, 3000, 700'000};
  ASSERT_TRUE(join().ok());  // once without, so that the plug-in is there
  leave();
  for (const auto& call : kCalls) {
    int failures = 0;
    for (int nth = 1; nth < 100; nth = nth < 12 ? nth + 1 : nth * 2) {
      SCOPED_TRACE(std::string(call.name) + " " + std::to_string(nth));
      control().fail(call.name, nth, 3);
      auto status = join();
      if (status.ok()) status = exchange(sizes, sizes);
      leave();
      const bool failed = control().hasFailed();
      if (!failed) {
        EXPECT_TRUE(status.ok()) << status.error().text;
        break;
      }
      ++failures;
      EXPECT_EQ(status.ok(), !call.fatal) << (status.ok() ? "no error" : status.error().text);
      if (status.ok()) continue;
      EXPECT_THAT(status.error().text, HasSubstr(test::strictLibrary(GetParam())));
      EXPECT_THAT(status.error().text, HasSubstr(ncclnet::symbolOf(GetParam())));
      EXPECT_THAT(status.error().text, HasSubstr(std::string(call.name) + " returned 3 (ncclInternalError)"));
      EXPECT_THAT(status.error().text, HasSubstr("it warned: " + std::string(call.name) + " is told to fail"));
      const auto state = control().state();
      EXPECT_EQ(state.connections, 0);
      EXPECT_EQ(state.registrations, 0);
      EXPECT_EQ(state.requests, 0);
    }
    const bool never = GetParam() < 11 && (std::string(call.name) == "init" || std::string(call.name) == "finalize");
    EXPECT_EQ(failures > 0, !never) << call.name;
  }
}

TEST_P(NcclNetLink, DeclaredMemoryThatCannotBeRegisteredIsCopied) {
  ASSERT_TRUE(join().ok());
  const auto sent = test::messageContent(600'000, 1, 9);
  std::vector<std::byte> got(sent.size());
  const Declaration from(const_cast<std::byte*>(sent.data()), sent.size());
  auto out = sendWhole(sent);
  auto in = receiveWhole(got);
  control().fail("regMr", 2, 2);  // after that of the headers' memory
  lower_->post(out);
  const auto deadline = Deadline::inSeconds(30);
  while (!control().state().requests && !deadline.passed()) ASSERT_TRUE(lower_->progress().ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(lower_->progress().ok());
  EXPECT_TRUE(control().hasFailed());
  higher_->post(in);
  while (!(out.done && in.done) && !deadline.passed()) {
    ASSERT_TRUE(lower_->progress().ok());
    ASSERT_TRUE(higher_->progress().ok());
  }
  EXPECT_TRUE(got == sent);
}

INSTANTIATE_TEST_SUITE_P(Version, NcclNetLink, testing::Values(8, 9, 10, 11, 12),
                         [](const auto& version) { return std::to_string(version.param); });

}  // namespace
}  // namespace atl
