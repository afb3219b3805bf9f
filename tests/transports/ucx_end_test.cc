// SPDX-License-Identifier: Apache-2.0
// UCX links whose other end is said to be gone while what it has sent still waits here: all of it comes, then the
// error. UCX's own functions, but that the test says when an endpoint has failed; ucx_test.cc has peers that die.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "tests/support/rank_pair.h"
#include "tests/transports/message_traffic.h"
#include "transports/ucx/api.h"
#include "transports/ucx/ucx.h"

namespace atl {
namespace {

using testing::HasSubstr;

/// The callbacks of UCX have no place for a pointer to it.
struct State {
  ucx::Api real;
  ucx::Api table;
  std::vector<ucp_worker_h> workers;  ///< the lower rank's first
  std::map<ucp_worker_h, ucp_err_handler_t> handlers;
  bool restless = false;  ///< UCX says each time that something has moved
};
State state;

class UcxEnd : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (const auto why = whyNoUcx(); !why.empty()) GTEST_SKIP() << why;
    ::setenv("UCX_TLS", GetParam(), 1);
    state = {};
    state.real = state.table = **ucx::api();
    state.table.workerCreate = [](ucp_context_h context, const ucp_worker_params_t* params, ucp_worker_h* worker) {
      const auto status = state.real.workerCreate(context, params, worker);
      state.workers.push_back(*worker);
      return status;
    };
    state.table.epCreate = [](ucp_worker_h worker, const ucp_ep_params_t* params, ucp_ep_h* endpoint) {
      state.handlers[worker] = params->err_handler;
      return state.real.epCreate(worker, params, endpoint);
    };
    state.table.workerProgress = [](ucp_worker_h worker) {
      const unsigned moved = state.real.workerProgress(worker);
      return state.restless ? 1 : moved;
    };
    ucx::replaceApi(&state.table);
    Settings settings;
    settings.transports = "ucx";
    settings.timeoutSeconds = 30;
    ranks_ = std::make_unique<test::RankPair>(settings);
  }
  void TearDown() override {
    ranks_.reset();
    ucx::replaceApi(nullptr);
    ::unsetenv("UCX_TLS");
  }

  /// As UCX tells a rank that its peer is gone.
  static void failEndpointOf(std::size_t rank) {
    const auto& handler = state.handlers.at(state.workers.at(rank));
    handler.cb(handler.arg, nullptr, UCS_ERR_CONNECTION_RESET);
  }

  std::unique_ptr<test::RankPair> ranks_;
  int lane_ = 0;
};

TEST_P(UcxEnd, WhatWasSentBeforeItComesAndThenTheError) {
  auto ends = ranks_->join(0);
  ASSERT_TRUE(ends.ok()) << ends.error().text;
  const auto lower = std::get<std::unique_ptr<MessageLink>>(std::move(ends->first));
  const auto higher = std::get<std::unique_ptr<MessageLink>>(std::move(ends->second));
  // More than UCX gives at a time, no more than go ahead of a receiver.
  std::vector<std::vector<std::byte>> sent;
  std::vector<std::vector<std::byte>> rooms(30, std::vector<std::byte>(1'000));
  std::vector<SendPiece> out(rooms.size());
  std::vector<ReceivePiece> in(rooms.size());
  for (std::size_t i = 0; i < rooms.size(); ++i) sent.push_back(test::messageContent(1'000, i, 1));
  for (std::size_t i = 0; i < rooms.size(); ++i) lower->post(out[i] = test::sendWhole(sent[i]));
  const auto left = test::progressUntil(*lower, [&] { return out.back().done; });
  ASSERT_TRUE(left.ok() && *left);

  failEndpointOf(1);
  for (std::size_t i = 0; i < rooms.size(); ++i) higher->post(in[i] = test::receiveWhole(rooms[i]));
  const auto came = test::progressUntil(*higher, [&] { return in.back().done; });
  ASSERT_TRUE(came.ok()) << came.error().text;
  EXPECT_EQ(rooms, sent);
  auto more = test::receiveWhole(rooms.front());
  higher->post(more);
  const auto end = test::progressUntil(*higher, [] { return false; });
  ASSERT_FALSE(end.ok());
  EXPECT_THAT(end.error().text, HasSubstr("the connection is lost: UCX says: "));
}

/// What is large is in sockets and queues for long, which are given up with the sender's end.
TEST_P(UcxEnd, MayBeWhenTheLastLargeMessageIsDone) {
  for (const std::size_t bytes : {9'000, 70'000, 1 << 20, 3'000'000}) {
    auto ends = ranks_->join(lane_++);
    ASSERT_TRUE(ends.ok()) << ends.error().text;
    auto lower = std::get<std::unique_ptr<MessageLink>>(std::move(ends->first));
    const auto higher = std::get<std::unique_ptr<MessageLink>>(std::move(ends->second));
    const auto sent = test::messageContent(bytes, 0, 1);
    std::vector<std::byte> room(bytes);
    auto out = test::sendWhole(sent);
    auto in = test::receiveWhole(room);
    lower->post(out);
    higher->post(in);
    const auto deadline = Deadline::inSeconds(30);
    while (!out.done && !deadline.passed()) {
      ASSERT_TRUE(higher->progress().ok());
      ASSERT_TRUE(lower->progress().ok());
    }
    EXPECT_TRUE(room == sent) << bytes;
    lower.reset();
    const auto came = test::progressUntil(*higher, [&] { return in.done; });
    ASSERT_TRUE(came.ok()) << came.error().text;
  }
}

TEST_P(UcxEnd, OfTheReceiverAfterItHasAllIsNoErrorOfTheSender) {
  auto ends = ranks_->join(0);
  ASSERT_TRUE(ends.ok()) << ends.error().text;
  const auto lower = std::get<std::unique_ptr<MessageLink>>(std::move(ends->first));
  const auto higher = std::get<std::unique_ptr<MessageLink>>(std::move(ends->second));
  const auto sent = test::messageContent(2'000'000, 0, 1);
  std::vector<std::byte> room(sent.size());
  auto out = test::sendWhole(sent);
  auto in = test::receiveWhole(room);
  lower->post(out);
  higher->post(in);
  const auto deadline = Deadline::inSeconds(30);
  while (!in.done && !deadline.passed()) {
    ASSERT_TRUE(lower->progress().ok());
    ASSERT_TRUE(higher->progress().ok());
  }
  EXPECT_FALSE(out.done) << "the other case is of no use here";
  failEndpointOf(0);
  const auto left = test::progressUntil(*lower, [&] { return out.done; });
  EXPECT_TRUE(left.ok()) << left.error().text;
}

TEST_P(UcxEnd, ComesInTimeAlsoWhileOtherLinksAreBusy) {
  auto ends = ranks_->join(0);
  ASSERT_TRUE(ends.ok()) << ends.error().text;
  const auto higher = std::get<std::unique_ptr<MessageLink>>(std::move(ends->second));
  std::vector<std::byte> room(10);
  auto in = test::receiveWhole(room);
  higher->post(in);
  state.restless = true;
  failEndpointOf(1);
  const auto end = test::progressUntil(*higher, [] { return false; });
  EXPECT_FALSE(end.ok());
}

TEST_P(UcxEnd, OfAPeerThatHadMetIsNoReasonNotToMeet) {
  // Whichever meets first leaves; the other has to meet and to get its message all the same.
  Result<std::unique_ptr<PendingLink>> pending[2] = {ranks_->connect(0, 1, 0), ranks_->connect(1, 0, 0)};
  ASSERT_TRUE(pending[0].ok() && pending[1].ok());
  std::size_t first = 0;
  const auto deadline = Deadline::inSeconds(30);
  for (bool met = false; !met; first = met ? first : 1 - first) {
    const auto polled = (*pending[first])->poll();
    ASSERT_TRUE(polled.ok()) << polled.error().text;
    ASSERT_FALSE(deadline.passed());
    met = *polled;
  }
  const auto link = std::get<std::unique_ptr<MessageLink>>((*pending[first])->take());
  const auto sent = test::messageContent(1'000, 0, 1);
  auto out = test::sendWhole(sent);
  link->post(out);
  const auto left = test::progressUntil(*link, [&] { return out.done; });
  ASSERT_TRUE(left.ok() && *left);

  failEndpointOf(1 - first);
  PendingLink& second = **pending[1 - first];
  for (bool met = false; !met;) {
    const auto polled = second.poll();
    ASSERT_TRUE(polled.ok()) << polled.error().text;
    ASSERT_FALSE(deadline.passed());
    met = *polled;
  }
  const auto other = std::get<std::unique_ptr<MessageLink>>(second.take());
  std::vector<std::byte> room(sent.size());
  auto in = test::receiveWhole(room);
  other->post(in);
  const auto came = test::progressUntil(*other, [&] { return in.done; });
  ASSERT_TRUE(came.ok()) << came.error().text;
  EXPECT_EQ(room, sent);
}

INSTANTIATE_TEST_SUITE_P(Over, UcxEnd, testing::Values("tcp", "posix"),
                         [](const auto& tls) { return std::string(tls.param); });

}  // namespace
}  // namespace atl
