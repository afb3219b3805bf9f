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

SendPiece sendWhole(const std::vector<std::byte>& data, const CallRecord& call = {}) {
  SendPiece piece;
  piece.data = data.data();
  piece.bytes = piece.messageBytes = data.size();
  piece.first = true;
  piece.call = call;
  return piece;
}

ReceivePiece receiveWhole(std::vector<std::byte>& data, const CallRecord& call = {}) {
  ReceivePiece piece;
  piece.data = data.data();
  piece.bytes = piece.messageBytes = data.size();
  piece.first = true;
  piece.call = call;
  return piece;
}

/// Polls until `until` holds or the link fails; the last answer. The deadline is a safety net only.
template <class Condition>
Result<bool> progressUntil(MessageLink& link, Condition until) {
  const auto deadline = Deadline::inSeconds(30);
  while (!until() && !deadline.passed()) {
    auto moved = link.progress();
    if (!moved.ok()) return moved;
    if (!*moved) std::this_thread::yield();
  }
  return until();
}

Error failureOf(MessageLink& link) {
  auto result = progressUntil(link, [] { return false; });
  EXPECT_FALSE(result.ok());
  return result.ok() ? Error{} : result.error();
}

CallRecord callNumber(std::uint64_t sequence) {
  CallRecord call;
  call.sequence = sequence;
  call.count = 64;
  call.collective = Collective::allGather;
  return call;
}

// ---- traffic -----------------------------------------------------------------------------------------------------

class TcpTraffic : public testing::TestWithParam<std::tuple<int, unsigned>> {};

/// Runs one end: sends `sizesOut`, receives `sizesIn`, both at once.
void runEnd(MessageLink& link, const std::vector<std::size_t>& sizesOut, const std::vector<std::size_t>& sizesIn,
            unsigned salt, unsigned peerSalt) {
  test::PieceStream<SendPiece> out(link, sizesOut, salt, salt * 7 + 1);
  test::PieceStream<ReceivePiece> in(link, sizesIn, peerSalt, salt * 11 + 2);
  const auto deadline = Deadline::inSeconds(120);
  bool sending = true;
  bool receiving = true;
  while ((sending || receiving) && !deadline.passed() && !testing::Test::HasFailure()) {
    sending = out.step();
    receiving = in.step();
    const auto moved = link.progress();
    ASSERT_TRUE(moved.ok()) << moved.error().text;
    if (!*moved) std::this_thread::yield();
  }
  EXPECT_TRUE(out.complete() && in.complete());
}

TEST_P(TcpTraffic, MixedSizesAndCutsArriveWholeInBothDirectionsAtOnce) {
  const auto connections = std::get<0>(GetParam());
  const auto seed = std::get<1>(GetParam());
  auto ends = makeEnds(connections);
  const auto up = test::mixedSizes(seed * 2, 8 << 20, 12 << 20);
  const auto down = test::mixedSizes(seed * 2 + 1, 1 << 20, 4 << 20);
  std::thread higher([&] { runEnd(*ends.higher, down, up, 200 + seed, 100 + seed); });
  runEnd(*ends.lower, up, down, 100 + seed, 200 + seed);
  higher.join();
}

INSTANTIATE_TEST_SUITE_P(ConnectionsAndSeeds, TcpTraffic,
                         testing::Combine(testing::Values(1, 2, 3, 4), testing::Values(1U, 2U)));

TEST(TcpLink, OneThreadCanDriveBothEnds) {
  auto ends = makeEnds(2);
  const auto sizes = test::mixedSizes(99, 3 << 20, 12 << 20);
  test::PieceStream<SendPiece> out(*ends.lower, sizes, 1, 2);
  test::PieceStream<ReceivePiece> in(*ends.higher, sizes, 1, 3);
  const auto deadline = Deadline::inSeconds(60);
  while (test::stepBoth(out, in) && !deadline.passed()) {
    ASSERT_TRUE(ends.lower->progress().ok());
    ASSERT_TRUE(ends.higher->progress().ok());
  }
  EXPECT_TRUE(out.complete() && in.complete());
}

TEST(TcpLink, MessagesSentBeforeTheReceiverAsksArriveInOrder) {
  auto ends = makeEnds(1);
  std::vector<std::vector<std::byte>> sent;
  std::vector<SendPiece> pieces(50);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    sent.push_back(test::messageContent(i * 3, i, 5));
    pieces[i] = sendWhole(sent.back());
  }
  for (auto& piece : pieces) ends.lower->post(piece);
  ASSERT_TRUE(progressUntil(*ends.lower, [&] { return pieces.back().done; }).ok());
  for (const auto& expected : sent) {
    std::vector<std::byte> got(expected.size());
    auto piece = receiveWhole(got);
    ends.higher->post(piece);
    const auto done = progressUntil(*ends.higher, [&] { return piece.done; });
    ASSERT_TRUE(done.ok()) << done.error().text;
    ASSERT_EQ(got, expected);
  }
}

TEST(TcpLink, ASmallMessageLeavesWhenItIsPosted) {
  auto ends = makeEnds(2);
  const auto data = test::messageContent(100, 1, 1);
  auto piece = sendWhole(data);
  ends.lower->post(piece);
  EXPECT_TRUE(piece.done);
}

TEST(TcpLink, NothingIsWantedOfAnIdleLink) {
  auto ends = makeEnds(2);
  std::vector<pollfd> fds;
  ends.lower->wanted(fds);
  EXPECT_TRUE(fds.empty());
  EXPECT_FALSE(*ends.lower->progress());
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

TEST(TcpLink, AnotherCallIsAMismatchThatNamesBothAndIsFinal) {
  auto ends = makeEnds(1);
  const std::vector<std::byte> data(64);
  std::vector<std::byte> room(64);
  auto out = sendWhole(data, callNumber(8));
  auto in = receiveWhole(room, callNumber(7));
  ends.lower->post(out);
  ends.higher->post(in);
  const auto error = failureOf(*ends.higher);
  EXPECT_EQ(error.code, ErrorCode::mismatch);
  EXPECT_THAT(error.text, HasSubstr("rank 1 is in allgather #7"));
  EXPECT_THAT(error.text, HasSubstr("rank 0 is in allgather #8"));
  EXPECT_FALSE(in.done);
  EXPECT_EQ(ends.higher->progress().error().text, error.text);
}

TEST(TcpLink, AnotherSizeIsAMismatchWhicheverEndSaysMore) {
  for (const auto& [sent, expected] :
       {std::pair<std::size_t, std::size_t>{100, 50}, {50, 100}, {0, 1}, {1, 0}, {300000, 5}}) {
    auto ends = makeEnds(2);
    const std::vector<std::byte> data(sent);
    std::vector<std::byte> room(expected);
    auto out = sendWhole(data);
    auto in = receiveWhole(room);
    ends.lower->post(out);
    ends.higher->post(in);
    static_cast<void>(ends.lower->progress());
    const auto error = failureOf(*ends.higher);
    EXPECT_EQ(error.code, ErrorCode::mismatch) << sent << " and " << expected;
    EXPECT_THAT(error.text, HasSubstr(fmt::format("a message of {} bytes where rank 1 expects {}", sent, expected)));
  }
}

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

TEST(TcpLink, MessagesSentBeforeThePeerLeftStillArrive) {
  auto ends = makeEnds(2);
  const auto data = test::messageContent(1 << 18, 1, 1);
  auto out = sendWhole(data);
  ends.lower->post(out);
  ASSERT_TRUE(progressUntil(*ends.lower, [&] { return out.done; }).ok());
  ends.lower.reset();
  std::vector<std::byte> room(data.size());
  auto in = receiveWhole(room);
  ends.higher->post(in);
  const auto done = progressUntil(*ends.higher, [&] { return in.done; });
  ASSERT_TRUE(done.ok()) << done.error().text;
  EXPECT_TRUE(room == data);
}

TEST(TcpLink, CancelTakesBackEveryPiece) {
  auto ends = makeEnds(2);
  {
    const std::vector<std::byte> data(64 << 20);
    std::vector<std::byte> room(64);
    auto out = sendWhole(data);
    auto in = receiveWhole(room);
    ends.lower->post(out);
    ends.lower->post(in);
    ASSERT_TRUE(ends.lower->progress().ok());
    ends.lower->cancel();
  }
  const auto after = ends.lower->progress();
  ASSERT_FALSE(after.ok());
  EXPECT_EQ(after.error().code, ErrorCode::aborted);
}

}  // namespace
}  // namespace atl::tcp
