// SPDX-License-Identifier: Apache-2.0
// What every message link must do, whatever transport made it. The links are made as a communicator makes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "tests/support/rank_pair.h"
#include "tests/transports/message_traffic.h"

namespace atl {
namespace {

using test::receiveWhole;
using test::sendWhole;
using testing::HasSubstr;

/// A transport, and how it is told to reach the other rank.
struct Kind {
  const char* name;
  const char* transport;
  int socketsPerPeer;
  const char* ucxTls;
  int queuePairs = 1;
  const char* plugin = nullptr;
};

#ifdef ATOLL_NET_PLUGIN
const std::string kStrictPlugin = std::string(STRICT_FOLDER) + "/libstrict_net_v";
const std::string kStrictPlugins[] = {kStrictPlugin + "8.so", kStrictPlugin + "10.so", kStrictPlugin + "12.so"};
#endif

const Kind kKinds[] = {
    {"Tcp", "tcp", 1, nullptr},
    {"TcpOverTwoConnections", "tcp", 2, nullptr},
    {"UcxOverTcp", "ucx", 1, "tcp"},
    {"UcxOverSharedMemory", "ucx", 1, "posix"},
    {"UcxOverSharedMemoryAndCma", "ucx", 1, "posix,cma"},
    {"Rdma", "rdma", 1, nullptr},
    {"RdmaByFourQueuePairs", "rdma", 1, nullptr, 4},
#ifdef ATOLL_NET_PLUGIN
    {"NcclNetByAtollsOwnPlugin", "ncclnet", 1, nullptr, 1, ATOLL_NET_PLUGIN},
    {"NcclNetByAStrictPlugin8", "ncclnet", 1, nullptr, 1, kStrictPlugins[0].c_str()},
    {"NcclNetByAStrictPlugin10", "ncclnet", 1, nullptr, 1, kStrictPlugins[1].c_str()},
    {"NcclNetByAStrictPlugin12", "ncclnet", 1, nullptr, 1, kStrictPlugins[2].c_str()},
#endif
};

std::vector<Kind> builtKinds() {
  std::vector<Kind> built;
  for (const Kind& kind : kKinds) {
    if ((builtTransports() & transportBit(kind.transport)) != 0) built.push_back(kind);
  }
  return built;
}

class MessageLinkConformance : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam().plugin != nullptr) {
      ::setenv("ATOLL_NCCL_NET_PLUGIN", GetParam().plugin, 1);
      ::setenv("ATOLL_NCCL_NET_TRANSPORT", "tcp", 0);
    }
    if (const auto atHand = transportsAtHand(GetParam().transport); !atHand.ok()) GTEST_SKIP() << atHand.error().text;
    // UCX reads it for the first link, and again when there was none meanwhile.
    if (GetParam().ucxTls != nullptr) ::setenv("UCX_TLS", GetParam().ucxTls, 1);
    Settings settings;
    settings.transports = GetParam().transport;
    settings.socketsPerPeer = GetParam().socketsPerPeer;
    settings.rdma.queuePairs = GetParam().queuePairs;
    if (GetParam().plugin != nullptr) settings.ncclNet.plugins = GetParam().plugin;
    settings.timeoutSeconds = 30;
    ranks_.emplace(settings);
    join(0);
  }
  void TearDown() override {
    ::unsetenv("UCX_TLS");
    ::unsetenv("ATOLL_NCCL_NET_PLUGIN");
  }

  void join(int lane) {
    auto ends = ranks_->join(lane);
    ASSERT_TRUE(ends.ok()) << ends.error().text;
    lower_ = std::get<std::unique_ptr<MessageLink>>(std::move(ends->first));
    higher_ = std::get<std::unique_ptr<MessageLink>>(std::move(ends->second));
  }

  /// Polls both ends until `until` holds, one fails (its error), or nothing came of it for long.
  template <class Condition>
  Result<bool> progressBothUntil(Condition until) {
    const auto deadline = Deadline::inSeconds(30);
    while (!until() && !deadline.passed()) {
      ATOLL_ASSIGN(const bool lower, lower_->progress());
      ATOLL_ASSIGN(const bool higher, higher_->progress());
      if (!lower && !higher) std::this_thread::yield();
    }
    return until();
  }

  /// The higher end's failure, while the lower one is driven too.
  Error failureOfHigher() {
    const auto deadline = Deadline::inSeconds(30);
    while (!deadline.passed()) {
      static_cast<void>(lower_->progress());
      auto moved = higher_->progress();
      if (!moved.ok()) return moved.error();
    }
    ADD_FAILURE() << "the link does not fail";
    return {};
  }

  std::optional<test::RankPair> ranks_;
  std::unique_ptr<MessageLink> lower_;
  std::unique_ptr<MessageLink> higher_;
};

TEST_P(MessageLinkConformance, MixedSizesAndCutsArriveWholeInBothDirectionsAtOnce) {
  for (const unsigned seed : {1U, 2U}) {
    const auto up = test::mixedSizes(seed * 2, 8 << 20, 12 << 20);
    const auto down = test::mixedSizes(seed * 2 + 1, 1 << 20, 4 << 20);
    std::thread higher([&] { test::runEnd(*higher_, down, up, 200 + seed, 100 + seed); });
    test::runEnd(*lower_, up, down, 100 + seed, 200 + seed);
    higher.join();
  }
}

TEST_P(MessageLinkConformance, LanesAreLinksOfTheirOwn) {
  const auto first = std::pair(std::move(lower_), std::move(higher_));
  join(1);
  const auto sizes = test::mixedSizes(7, 1 << 20, 3 << 20);
  test::PieceStream<SendPiece> outOne(*first.first, sizes, 1, 2);
  test::PieceStream<SendPiece> outOther(*lower_, sizes, 5, 2);
  test::PieceStream<ReceivePiece> inOther(*higher_, sizes, 5, 4);
  const auto deadline = Deadline::inSeconds(60);
  // The first lane's receiver does not ask yet, and must not hold up the other lane.
  static_cast<void>(outOne.step());
  while (test::stepBoth(outOther, inOther) && !deadline.passed()) {
    for (auto* const link : {first.first.get(), first.second.get(), lower_.get(), higher_.get()}) {
      ASSERT_TRUE(link->progress().ok());
    }
  }
  EXPECT_TRUE(outOther.complete() && inOther.complete());
  test::PieceStream<ReceivePiece> inOne(*first.second, sizes, 1, 3);
  while (test::stepBoth(outOne, inOne) && !deadline.passed()) {
    ASSERT_TRUE(first.first->progress().ok());
    ASSERT_TRUE(first.second->progress().ok());
  }
  EXPECT_TRUE(outOne.complete() && inOne.complete());
}

TEST_P(MessageLinkConformance, MessagesSentBeforeTheReceiverAsksArriveInOrder) {
  constexpr std::size_t kMessages = 200;  // more than any link may have under way
  std::vector<std::vector<std::byte>> sent;
  std::vector<SendPiece> out(kMessages);
  for (std::size_t i = 0; i < kMessages; ++i) {
    sent.push_back(test::messageContent(i % 7 == 0 ? i * 300 : i * 3, i, 5));
    out[i] = sendWhole(sent.back());
  }
  for (auto& piece : out) lower_->post(piece);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(lower_->progress().ok());
  for (const auto& expected : sent) {
    std::vector<std::byte> got(expected.size());
    auto piece = receiveWhole(got);
    higher_->post(piece);
    const auto done = progressBothUntil([&] { return piece.done; });
    ASSERT_TRUE(done.ok()) << done.error().text;
    ASSERT_TRUE(*done);
    ASSERT_EQ(got, expected);
  }
  EXPECT_TRUE(*progressBothUntil([&] { return out.back().done; }));
}

TEST_P(MessageLinkConformance, EmptyMessagesAreMessages) {
  std::vector<SendPiece> out(3);
  std::vector<ReceivePiece> in(3);
  std::byte sent{42};
  std::byte got{};
  for (auto& piece : out) piece.first = true;
  for (auto& piece : in) piece.first = true;
  out[1].data = &sent;
  in[1].data = &got;
  out[1].bytes = out[1].messageBytes = in[1].bytes = in[1].messageBytes = 1;
  for (auto& piece : out) lower_->post(piece);
  EXPECT_FALSE(in[0].done);
  for (auto& piece : in) higher_->post(piece);
  const auto done = progressBothUntil([&] { return out[2].done && in[2].done; });
  ASSERT_TRUE(done.ok()) << done.error().text;
  EXPECT_TRUE(in[0].done && in[1].done && in[2].done);
  EXPECT_EQ(got, sent);
}

TEST_P(MessageLinkConformance, AReceiverMayAskForLargeMessagesBitByBit) {
  const auto sent = test::messageContent(1'000'000, 1, 9);
  auto out = sendWhole(sent);
  lower_->post(out);
  std::vector<std::byte> got(sent.size());
  for (std::size_t at = 0; at < got.size();) {
    ReceivePiece piece;
    piece.data = got.data() + at;
    piece.bytes = std::min<std::size_t>(got.size() - at, 77'777);
    piece.first = at == 0;
    piece.messageBytes = got.size();
    higher_->post(piece);
    const auto done = progressBothUntil([&] { return piece.done; });
    ASSERT_TRUE(done.ok()) << done.error().text;
    ASSERT_TRUE(*done);
    at += piece.bytes;
  }
  EXPECT_TRUE(*progressBothUntil([&] { return out.done; }));
  EXPECT_TRUE(got == sent);
}

TEST_P(MessageLinkConformance, NothingIsWantedOfAnIdleLink) {
  std::vector<pollfd> fds;
  lower_->wanted(fds);
  EXPECT_TRUE(fds.empty());
  EXPECT_FALSE(*lower_->progress());
}

TEST_P(MessageLinkConformance, WhatAnEndWantsWakesIt) {
  std::vector<std::byte> got(300'000);
  const auto sent = test::messageContent(got.size(), 1, 3);
  auto in = receiveWhole(got);
  higher_->post(in);
  std::thread sender([&] {
    auto out = sendWhole(sent);
    lower_->post(out);
    const auto done = test::progressUntil(*lower_, [&] { return out.done; });
    EXPECT_TRUE(done.ok() && *done);
  });
  // Sleeps whenever nothing moves: if it were not woken, the wait would last for ever.
  int sleeps = 0;
  while (!in.done) {
    const auto moved = higher_->progress();
    if (!moved.ok()) ADD_FAILURE() << moved.error().text;
    if (!moved.ok()) break;
    if (*moved || in.done) continue;
    std::vector<pollfd> fds;
    higher_->wanted(fds);
    EXPECT_FALSE(fds.empty());
    ++sleeps;
    const int ready = ::poll(fds.data(), fds.size(), 30'000);
    EXPECT_GT(ready, 0) << "not woken after " << sleeps << " sleeps";
    if (ready <= 0) break;
  }
  sender.join();
  EXPECT_TRUE(got == sent);
}

TEST_P(MessageLinkConformance, AnotherCallIsAMismatchThatNamesBothAndIsFinal) {
  const std::vector<std::byte> data(64);
  std::vector<std::byte> room(64);
  auto out = sendWhole(data, test::callNumber(8));
  auto in = receiveWhole(room, test::callNumber(7));
  lower_->post(out);
  higher_->post(in);
  const auto error = failureOfHigher();
  EXPECT_EQ(error.code, ErrorCode::mismatch);
  EXPECT_THAT(error.text, HasSubstr("rank 1 is in allgather #7"));
  EXPECT_THAT(error.text, HasSubstr("rank 0 is in allgather #8"));
  EXPECT_FALSE(in.done);
  EXPECT_EQ(higher_->progress().error().text, error.text);
}

TEST_P(MessageLinkConformance, AnotherSizeIsAMismatchWhicheverEndSaysMore) {
  int lane = 1;
  for (const auto& [sent, expected] :
       {std::pair<std::size_t, std::size_t>{100, 50}, {50, 100}, {0, 1}, {1, 0}, {300000, 5}, {5, 300000}}) {
    const std::vector<std::byte> data(sent);
    std::vector<std::byte> room(expected + 1, std::byte{7});
    auto out = sendWhole(data);
    auto in = receiveWhole(room);
    in.bytes = in.messageBytes = expected;
    lower_->post(out);
    higher_->post(in);
    const auto error = failureOfHigher();
    EXPECT_EQ(error.code, ErrorCode::mismatch) << sent << " and " << expected;
    EXPECT_THAT(error.text, HasSubstr(fmt::format("a message of {} bytes where rank 1 expects {}", sent, expected)));
    EXPECT_EQ(room.back(), std::byte{7});
    lower_->cancel();
    higher_->cancel();
    join(lane++);
  }
}

TEST_P(MessageLinkConformance, MessagesSentBeforeThePeerLeftStillArrive) {
  constexpr std::size_t kMessages = 10;
  std::vector<std::vector<std::byte>> sent;
  std::vector<SendPiece> out(kMessages);
  for (std::size_t i = 0; i < kMessages; ++i) {
    sent.push_back(test::messageContent(1000, i, 1));
    out[i] = sendWhole(sent.back());
  }
  // What is told to be done has left this end, or is with the peer.
  for (auto& piece : out) lower_->post(piece);
  const auto gone = progressBothUntil([&] { return out.back().done; });
  ASSERT_TRUE(gone.ok() && *gone);
  lower_.reset();
  for (const auto& expected : sent) {
    std::vector<std::byte> room(expected.size());
    auto in = receiveWhole(room);
    higher_->post(in);
    const auto done = test::progressUntil(*higher_, [&] { return in.done; });
    ASSERT_TRUE(done.ok()) << done.error().text;
    EXPECT_TRUE(room == expected);
  }
}

TEST_P(MessageLinkConformance, CancelTakesBackEveryPiece) {
  // Both ends are in the middle of a large message when the one gives up: nothing of it may be touched afterwards.
  {
    const std::vector<std::byte> data(8 << 20);
    std::vector<std::byte> room(8 << 20);
    auto out = sendWhole(data);
    auto in = receiveWhole(room);
    lower_->post(out);
    higher_->post(in);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(lower_->progress().ok());
      ASSERT_TRUE(higher_->progress().ok());
    }
    std::vector<std::byte> other(64);
    auto alsoIn = receiveWhole(other);
    lower_->post(alsoIn);
    lower_->cancel();
    higher_->cancel();
  }
  for (const auto& link : {&lower_, &higher_}) {
    const auto after = (*link)->progress();
    ASSERT_FALSE(after.ok());
    EXPECT_EQ(after.error().code, ErrorCode::aborted);
  }
}

TEST_P(MessageLinkConformance, DescribesItself) {
  EXPECT_THAT(lower_->describe(), testing::StartsWith(GetParam().transport));
}

INSTANTIATE_TEST_SUITE_P(Each, MessageLinkConformance, testing::ValuesIn(builtKinds()),
                         [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace atl
