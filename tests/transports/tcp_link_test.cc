// SPDX-License-Identifier: Apache-2.0
#include "transports/tcp/tcp_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "src/base/clock.h"
#include "tests/transports/fake_switchboard.h"
#include "tests/transports/message_traffic.h"

namespace atl::tcp {
namespace {

using test::progressUntil;
using test::receiveWhole;
using test::sendWhole;
using testing::HasSubstr;

struct Ends {
  std::unique_ptr<TcpLink> lower;
  std::unique_ptr<TcpLink> higher;
};

Ends makeEnds(int connections, Switchboard::Via via = Switchboard::Via::tcp) {
  std::vector<UniqueFd> lower;
  std::vector<UniqueFd> higher;
  for (int i = 0; i < connections; ++i) {
    auto pair = test::makeSocketPair(via);
    lower.push_back(std::move(pair.lower));
    higher.push_back(std::move(pair.higher));
  }
  return {std::make_unique<TcpLink>(std::move(lower), LinkNames{0, 1, "rank 1 (host b, pid 2)", "tcp a → b"}),
          std::make_unique<TcpLink>(std::move(higher), LinkNames{1, 0, "rank 0 (host a, pid 1)", "tcp b → a"})};
}

/// One end that speaks TcpLink and one that is a bare socket in the hands of the test.
struct Stranger {
  explicit Stranger(Switchboard::Via via = Switchboard::Via::tcp) {
    auto pair = test::makeSocketPair(via);
    socket = std::move(pair.higher);
    std::vector<UniqueFd> mine;
    mine.push_back(std::move(pair.lower));
    link = std::make_unique<TcpLink>(std::move(mine), LinkNames{0, 1, "rank 1 (host b, pid 2)", "tcp a → b"});
  }
  void send(const void* data, std::size_t bytes) {
    ASSERT_EQ(::send(socket.get(), data, bytes, MSG_NOSIGNAL), static_cast<ssize_t>(bytes));
  }
  UniqueFd socket;
  std::unique_ptr<TcpLink> link;
};

Error failureOf(MessageLink& link) {
  auto result = progressUntil(link, [] { return false; });
  EXPECT_FALSE(result.ok());
  return result.ok() ? Error{} : result.error();
}

// ---- traffic -----------------------------------------------------------------------------------------------------

class TcpTraffic : public testing::TestWithParam<std::tuple<int, unsigned>> {};

TEST_P(TcpTraffic, MixedSizesAndCutsArriveWholeInBothDirectionsAtOnce) {
  const auto connections = std::get<0>(GetParam());
  const auto seed = std::get<1>(GetParam());
  auto ends = makeEnds(connections);
  const auto up = test::mixedSizes(seed * 2, 8 << 20, 12 << 20);
  const auto down = test::mixedSizes(seed * 2 + 1, 1 << 20, 4 << 20);
  std::thread higher([&] { test::runEnd(*ends.higher, down, up, 200 + seed, 100 + seed); });
  test::runEnd(*ends.lower, up, down, 100 + seed, 200 + seed);
  higher.join();
}

INSTANTIATE_TEST_SUITE_P(ConnectionsAndSeeds, TcpTraffic,
                         testing::Combine(testing::Values(1, 2, 3, 4), testing::Values(1U, 2U)));

TEST(TcpLink, ASmallMessageLeavesWhenItIsPosted) {
  auto ends = makeEnds(2);
  const auto data = test::messageContent(100, 1, 1);
  auto piece = sendWhole(data);
  ends.lower->post(piece);
  EXPECT_TRUE(piece.done);
}

TEST(TcpLink, WantsToReadWhatIsAwaitedAndToWriteWhatIsQueued) {
  auto ends = makeEnds(2);
  std::vector<std::byte> room(1 << 20);
  auto incoming = receiveWhole(room);
  ends.lower->post(incoming);
  std::vector<pollfd> fds;
  ends.lower->wanted(fds);
  ASSERT_EQ(fds.size(), 1U);  // the header comes on connection 0; before it, nothing of the others is wanted
  EXPECT_EQ(fds[0].events, POLLIN);

  const std::vector<std::byte> data(1 << 20);
  auto outgoing = sendWhole(data);
  ends.lower->post(outgoing);
  fds.clear();
  ends.lower->wanted(fds);
  ASSERT_EQ(fds.size(), 2U);
  EXPECT_EQ(fds[0].events, POLLIN | POLLOUT);
  EXPECT_EQ(fds[1].events, POLLOUT);
}

// ---- disagreement and trouble --------------------------------------------------------------------------------------

TEST(TcpLink, GarbageForAHeaderIsAProtocolError) {
  Stranger stranger;
  const std::string garbage(200, 'x');
  stranger.send(garbage.data(), garbage.size());
  std::vector<std::byte> room(64);
  auto in = receiveWhole(room);
  stranger.link->post(in);
  const auto error = failureOf(*stranger.link);
  EXPECT_EQ(error.code, ErrorCode::remoteError);
  EXPECT_THAT(error.text, HasSubstr("protocol: garbage"));
  EXPECT_THAT(error.text, HasSubstr("rank 1 (host b, pid 2)"));
}

TEST(TcpLink, AHeaderMayComeByteByByte) {
  Stranger stranger;
  Header header;
  header.message = 1;
  header.bytes = 3;
  std::vector<std::byte> room(3);
  auto in = receiveWhole(room);
  stranger.link->post(in);
  for (std::size_t i = 0; i < sizeof header; ++i) {
    stranger.send(reinterpret_cast<const char*>(&header) + i, 1);
    static_cast<void>(stranger.link->progress());
  }
  stranger.send("abc", 3);
  ASSERT_TRUE(progressUntil(*stranger.link, [&] { return in.done; }).ok());
  EXPECT_EQ(room[2], std::byte{'c'});
}

TEST(TcpLink, APeerThatClosesInTheMiddleOfAMessageIsNamed) {
  Stranger stranger;
  Header header;
  header.message = 1;
  header.bytes = 1000;
  stranger.send(&header, sizeof header);
  stranger.send("begin", 5);
  stranger.socket.reset();
  std::vector<std::byte> room(1000);
  auto in = receiveWhole(room);
  stranger.link->post(in);
  const auto error = failureOf(*stranger.link);
  EXPECT_EQ(error.code, ErrorCode::remoteError);
  EXPECT_THAT(error.text,
              HasSubstr("rank 1 (host b, pid 2) by tcp a → b: the peer closed the connection while message 1"));
}

TEST(TcpLink, APeerThatResetsTheConnectionIsNamedToASender) {
  Stranger stranger;
  const linger now{1, 0};
  ASSERT_EQ(::setsockopt(stranger.socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
  const std::vector<std::byte> data(64 << 20);
  auto out = sendWhole(data);
  stranger.link->post(out);
  static_cast<void>(stranger.link->progress());
  stranger.socket.reset();
  const auto error = failureOf(*stranger.link);
  EXPECT_EQ(error.code, ErrorCode::remoteError);
  EXPECT_THAT(error.text, HasSubstr("rank 1 (host b, pid 2) by tcp a → b: the peer ended or dropped the connection"));
}

TEST(TcpLink, APeerThatIsGoneBeforeASmallMessageShowsInProgressNotInPost) {
  Stranger stranger(Switchboard::Via::local);  // a local socket tells at once
  stranger.socket.reset();
  const std::vector<std::byte> data(10);
  auto out = sendWhole(data);
  stranger.link->post(out);
  EXPECT_FALSE(out.done);
  EXPECT_EQ(failureOf(*stranger.link).code, ErrorCode::remoteError);
}

}  // namespace
}  // namespace atl::tcp
