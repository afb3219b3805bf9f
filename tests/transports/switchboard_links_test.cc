// SPDX-License-Identifier: Apache-2.0
// Every transport's links as a communicator makes them: over a session's directory, with streams from the real
// switchboard.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/base/clock.h"
#include "src/bootstrap/session.h"
#include "tests/transports/memory_link_conformance.h"
#include "tests/transports/message_traffic.h"
#include "transports/transport.h"

namespace atl {
namespace {

/// Two ranks of one process that may use one transport only.
class Pair {
 public:
  explicit Pair(const std::string& transport) {
    settings_.transports = transport;
    settings_.timeoutSeconds = 30;
    session_ = Session::local(2, settings_);
    for (Rank rank = 0; rank < 2; ++rank) {
      auto& side = sides_[rank];
      side.context = {session_->communicator(), rank, &session_->directory(), &settings_, &side.outbox, nullptr};
      side.transports = makeTransports(side.context);
    }
  }

  Result<std::unique_ptr<PendingLink>> connect(Rank me, Rank peer, int lane) {
    const auto& process = session_->directory().process(me);
    ATOLL_ASSIGN(Transport* const agreed, agree(sides_[me].transports, process, session_->directory().process(peer)));
    EXPECT_EQ(agreed->name(), settings_.transports);
    return agreed->connect(peer, lane);
  }

  /// The two ends of a lane, polled in turns.
  Result<std::pair<Link, Link>> join(int lane) {
    ATOLL_ASSIGN(auto lower, connect(0, 1, lane));
    ATOLL_ASSIGN(auto higher, connect(1, 0, lane));
    bool lowerReady = false;
    bool higherReady = false;
    while (!(lowerReady && higherReady)) {
      if (!lowerReady) {
        ATOLL_ASSIGN(lowerReady, lower->poll());
      }
      if (!higherReady) {
        ATOLL_ASSIGN(higherReady, higher->poll());
      }
      std::this_thread::yield();
    }
    return std::pair<Link, Link>{lower->take(), higher->take()};
  }

  Outbox& outbox(Rank rank) { return sides_[rank].outbox; }

 private:
  struct Side {
    Outbox outbox{4096, 4};
    TransportContext context;
    std::vector<std::unique_ptr<Transport>> transports;
  };
  Settings settings_;
  std::shared_ptr<Session> session_;
  Side sides_[2];
};

class MemoryTransports : public testing::TestWithParam<const char*> {};

TEST_P(MemoryTransports, LinkOfEachLaneCarriesMessages) {
  Pair ranks(GetParam());
  std::array<test::LinkedPair, 3> lanes;  // a rank has one outbox, so each lane's links stay while another is used
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    auto ends = ranks.join(static_cast<int>(lane));
    ASSERT_TRUE(ends.ok()) << ends.error().text;
    lanes[lane] = {std::get<MemoryLink>(std::move(ends->first)), std::get<MemoryLink>(std::move(ends->second)),
                   &ranks.outbox(0), &ranks.outbox(1)};
    test::carriesMixedMessages(lanes[lane], 500);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, MemoryTransports, testing::Values("inproc", "shm"));

class MessageTransports : public testing::TestWithParam<const char*> {};

TEST_P(MessageTransports, LinkOfEachLaneCarriesMessages) {
  Pair ranks(GetParam());
  for (int lane = 0; lane < 3; ++lane) {
    auto ends = ranks.join(lane);
    ASSERT_TRUE(ends.ok()) << ends.error().text;
    auto& lower = *std::get<std::unique_ptr<MessageLink>>(ends->first);
    auto& higher = *std::get<std::unique_ptr<MessageLink>>(ends->second);
    const auto sizes = test::mixedSizes(static_cast<unsigned>(lane), 1 << 20, 4 << 20);
    test::PieceStream<SendPiece> out(lower, sizes, 1, 2);
    test::PieceStream<ReceivePiece> in(higher, sizes, 1, 3);
    const auto deadline = Deadline::inSeconds(60);
    while ((out.step() | in.step()) && !deadline.passed()) {
      ASSERT_TRUE(lower.progress().ok());
      ASSERT_TRUE(higher.progress().ok());
    }
    EXPECT_TRUE(out.complete() && in.complete());
  }
}

INSTANTIATE_TEST_SUITE_P(Each, MessageTransports, testing::Values("tcp"));

}  // namespace
}  // namespace atl
