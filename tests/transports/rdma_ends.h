// SPDX-License-Identifier: Apache-2.0
// RDMA links on the fake libibverbs, for tests of what goes wrong: adapters, two ends in one thread, the same traffic
// each time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "tests/fakeverbs/fakeverbs.h"
#include "tests/support/rank_pair.h"
#include "tests/transports/message_traffic.h"
#include "transports/declared_memory.h"

namespace atl::test {

/// Two adapters of one port each, which both ranks share.
inline fakeverbs::Configuration adapters() {
  fakeverbs::Configuration configuration;
  configuration.ackTimeout = std::chrono::microseconds(100);
  return configuration;
}

inline fakeverbs::Configuration oneAdapter() {
  auto configuration = adapters();
  configuration.devices.resize(1);
  return configuration;
}

inline Settings settingsOf(int rails = 1, int queuePairs = 1) {
  Settings settings;
  settings.transports = "rdma";
  settings.timeoutSeconds = 20;
  settings.rdma.rails = rails;
  settings.rdma.queuePairs = queuePairs;
  return settings;
}

/// Two ends of a link in one thread, and the same traffic each time: notes, grants and writes both ways at once.
class Ends {
 public:
  explicit Ends(const Settings& settings) : ranks_(settings) {}

  Status join() {
    ATOLL_ASSIGN(auto ends, ranks_.join(lane_++));
    lower_ = std::get<std::unique_ptr<MessageLink>>(std::move(ends.first));
    higher_ = std::get<std::unique_ptr<MessageLink>>(std::move(ends.second));
    return success();
  }

  /// Success when all has arrived as it was sent; `meanwhile` is called between the steps.
  template <class Meanwhile>
  Status exchange(Meanwhile meanwhile) {
    const auto up = mixedSizes(3, 600'000, 1'500'000);
    const auto down = mixedSizes(4, 600'000, 1'500'000);
    PieceStream<SendPiece> upOut(*lower_, up, 1, 11);
    PieceStream<ReceivePiece> upIn(*higher_, up, 1, 12);
    PieceStream<SendPiece> downOut(*higher_, down, 2, 13);
    PieceStream<ReceivePiece> downIn(*lower_, down, 2, 14);
    const auto deadline = Deadline::inSeconds(60);
    for (bool more = true; more;) {
      more = stepBoth(upOut, upIn);
      more |= stepBoth(downOut, downIn);
      for (auto* const link : {lower_.get(), higher_.get()}) {
        auto moved = link->progress();
        if (!moved.ok()) {
          // The streams' pieces go before the links.
          lower_->cancel();
          higher_->cancel();
          return std::move(moved).error();
        }
      }
      meanwhile();
      if (!deadline.passed()) continue;
      lower_->cancel();
      higher_->cancel();
      return makeError(ErrorCode::timeout, "the traffic does not end");
    }
    return success();
  }
  Status exchange() {
    return exchange([] {});
  }

  /// The same with a few messages whose memory is declared, so that they go without a copy, both ways.
  Status exchangeDeclared() {
    constexpr std::size_t kBytes = 400'000;
    const auto sent = messageContent(4 * kBytes, 1, 9);
    auto source = sent;
    std::vector<std::byte> room(sent.size());
    const Declaration ofSource(source.data(), source.size());
    const Declaration ofRoom(room.data(), room.size());
    std::vector<SendPiece> out(4);
    std::vector<ReceivePiece> in(4);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i].data = source.data() + i * kBytes;
      in[i].data = room.data() + i * kBytes;
      out[i].first = in[i].first = true;
      out[i].bytes = out[i].messageBytes = in[i].bytes = in[i].messageBytes = kBytes;
      (i % 2 == 0 ? lower_ : higher_)->post(out[i]);
      (i % 2 == 0 ? higher_ : lower_)->post(in[i]);
    }
    const auto done = [](const auto& piece) { return piece.done; };
    const auto deadline = Deadline::inSeconds(20);
    while (!(std::ranges::all_of(out, done) && std::ranges::all_of(in, done)) && !deadline.passed()) {
      for (auto* const link : {lower_.get(), higher_.get()}) {
        auto moved = link->progress();
        if (moved.ok()) continue;
        lower_->cancel();
        higher_->cancel();
        return std::move(moved).error();
      }
    }
    if (!(std::ranges::all_of(out, done) && std::ranges::all_of(in, done))) {
      lower_->cancel();
      higher_->cancel();
      return makeError(ErrorCode::timeout, "the messages are not through");
    }
    return room == sent ? success() : makeError(ErrorCode::internalError, "what came is not what was sent");
  }

  /// A message out of this memory, from the lower rank.
  Status sendFrom(std::span<const std::byte> memory) {
    std::vector<std::byte> room(memory.size());
    SendPiece out;
    out.data = memory.data();
    out.bytes = out.messageBytes = memory.size();
    out.first = true;
    ReceivePiece in = receiveWhole(room);
    lower_->post(out);
    higher_->post(in);
    const auto deadline = Deadline::inSeconds(20);
    while (!(out.done && in.done)) {
      Status moved = success();
      for (auto* const link : {lower_.get(), higher_.get()}) {
        auto progressed = link->progress();
        if (!progressed.ok()) moved = std::move(progressed).error();
      }
      if (moved.ok() && deadline.passed()) moved = makeError(ErrorCode::timeout, "the message is not through");
      if (moved.ok()) continue;
      lower_->cancel();
      higher_->cancel();
      return moved;
    }
    return std::ranges::equal(room, memory) ? success()
                                            : makeError(ErrorCode::internalError, "what came is not what was sent");
  }

  /// As a user is told it: "rdma fake_0:1 10.9.1.1 → 10.9.1.2".
  [[nodiscard]] std::string describe() const { return lower_->describe() + ", " + higher_->describe(); }

  /// A message from the lower rank, while the higher one is in no call for so long.
  Status sendToAnAbsentRank(double absence) {
    const auto sent = messageContent(1'000, 1, 9);
    std::vector<std::byte> room(sent.size());
    SendPiece out;
    ReceivePiece in;
    out.data = sent.data();
    in.data = room.data();
    out.first = in.first = true;
    out.bytes = out.messageBytes = in.bytes = in.messageBytes = sent.size();
    lower_->post(out);
    higher_->post(in);
    const auto back = Deadline::inSeconds(absence);
    const auto deadline = Deadline::inSeconds(60);
    while (!(out.done && in.done) && !deadline.passed()) {
      auto moved = lower_->progress();
      if (moved.ok() && back.passed()) moved = higher_->progress();
      if (moved.ok()) continue;
      lower_->cancel();
      higher_->cancel();
      return std::move(moved).error();
    }
    const bool done = out.done && in.done;
    if (!done) {
      lower_->cancel();
      higher_->cancel();
    }
    return done && room == sent ? success() : makeError(ErrorCode::internalError, "it did not come as it was sent");
  }

 private:
  RankPair ranks_;
  int lane_ = 0;
  std::unique_ptr<MessageLink> lower_;
  std::unique_ptr<MessageLink> higher_;
};

/// Begins with adapters that are new, and sees that nothing is left of their use.
class RdmaLinks : public testing::Test {
 protected:
  void SetUp() override { fakeverbs::reset(adapters()); }
  void TearDown() override {
    EXPECT_THAT(fakeverbs::takeFailures(), testing::IsEmpty());
    EXPECT_EQ(fakeverbs::liveObjects(), fakeverbs::LiveObjects{});
  }
};

}  // namespace atl::test
