// SPDX-License-Identifier: Apache-2.0
#include "transports/tcp/tcp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <memory>

#include "src/base/clock.h"
#include "tests/transports/fake_switchboard.h"
#include "transports/tcp/socket_options.h"
#include "transports/tcp/wire.h"

namespace atl {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

/// Two ranks of two hosts, each with its transport and settings.
class TcpTransport : public testing::Test {
 protected:
  TcpTransport() {
    directory_.processes.resize(2);
    directory_.processOf = {0, 1};
    for (std::size_t i = 0; i < 2; ++i) {
      auto& process = directory_.processes[i];
      process.id = process.host = i + 1;
      process.hostName = i == 0 ? "atoll" : "reef";
      process.pid = static_cast<std::int32_t>(100 + i);
      process.addresses.resize(1);
      settings_[i].timeoutSeconds = 30;
      contexts_[i].communicator = 8;
      contexts_[i].rank = static_cast<Rank>(i);
      contexts_[i].directory = &directory_;
      contexts_[i].settings = &settings_[i];
      contexts_[i].switchboard = &switchboard_;
      transports_[i] = makeTcp(contexts_[i]);
    }
  }

  /// Polls both ends until they are ready, or one has failed.
  static Status join(PendingLink& a, PendingLink& b) {
    const auto deadline = Deadline::inSeconds(30);
    bool aReady = false;
    bool bReady = false;
    while (!(aReady && bReady)) {
      if (!aReady) {
        ATOLL_ASSIGN(aReady, a.poll());
      }
      if (!bReady) {
        ATOLL_ASSIGN(bReady, b.poll());
      }
      if (deadline.passed()) return makeError(ErrorCode::timeout, "the ends of the test's link do not meet");
    }
    return success();
  }

  test::FakeSwitchboard switchboard_;
  Directory directory_;
  Settings settings_[2];
  TransportContext contexts_[2];
  std::unique_ptr<Transport> transports_[2];
};

std::string describeLink(PendingLink& pending) {
  auto link = pending.take();
  return std::get<std::unique_ptr<MessageLink>>(link)->describe();
}

TEST_F(TcpTransport, LinksAndDescribesItself) {
  auto lower = transports_[0]->connect(1, 0);
  auto higher = transports_[1]->connect(0, 0);
  const auto joined = join(*lower, *higher);
  ASSERT_TRUE(joined.ok()) << joined.error().text;
  const auto text = describeLink(*lower);
  EXPECT_THAT(text, testing::MatchesRegex("tcp 127.0.0.1:[0-9]+ → 127.0.0.1:[0-9]+ ×1 [a-z]+"));
}

TEST_F(TcpTransport, TheSmallerNumberOfConnectionsIsUsed) {
  settings_[0].socketsPerPeer = 5;
  settings_[1].socketsPerPeer = 3;
  auto lower = transports_[0]->connect(1, 0);
  auto higher = transports_[1]->connect(0, 0);
  const auto joined = join(*lower, *higher);
  ASSERT_TRUE(joined.ok()) << joined.error().text;
  EXPECT_THAT(describeLink(*lower), HasSubstr("×3"));
  EXPECT_THAT(describeLink(*higher), HasSubstr("×3"));
}

TEST_F(TcpTransport, UsesTheCongestionControlThatIsAskedFor) {
  settings_[0].congestionControl = "reno";  // every kernel has it
  auto lower = transports_[0]->connect(1, 0);
  auto higher = transports_[1]->connect(0, 0);
  const auto joined = join(*lower, *higher);
  ASSERT_TRUE(joined.ok()) << joined.error().text;
  EXPECT_THAT(describeLink(*lower), HasSubstr("reno"));
}

TEST_F(TcpTransport, UsesCubicWhereItMayUnlessTheSystemsOwnIsAskedFor) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto systems = tcp::congestionControlOf(socket.get());
  if (!tcp::configure(socket.get(), "cubic").ok()) GTEST_SKIP() << "this process may not use cubic here";
  settings_[1].congestionControl = "system";
  auto lower = transports_[0]->connect(1, 0);
  auto higher = transports_[1]->connect(0, 0);
  const auto joined = join(*lower, *higher);
  ASSERT_TRUE(joined.ok()) << joined.error().text;
  EXPECT_THAT(describeLink(*lower), EndsWith(" cubic"));
  EXPECT_THAT(describeLink(*higher), EndsWith(" " + systems));
}

TEST_F(TcpTransport, AnUnknownCongestionControlIsNamedWithThoseThereAre) {
  settings_[0].congestionControl = "no_such_thing";
  auto lower = transports_[0]->connect(1, 0);
  const auto result = lower->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().text, HasSubstr("no congestion control 'no_such_thing'"));
  EXPECT_THAT(result.error().text, HasSubstr("reno"));
  EXPECT_THAT(result.error().text, HasSubstr("rank 1 (host reef, pid 101)"));
}

TEST_F(TcpTransport, AStrangerForAPeerIsAProtocolError) {
  auto lower = transports_[0]->connect(1, 0);
  const StreamKey key{8, 0, 1, 0, 0};
  const auto stream = switchboard_.open(key, 1, directory_, Switchboard::Via::tcp, Deadline::never());
  const UniqueFd socket = stream->take();
  ASSERT_EQ(::send(socket.get(), "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
  auto result = lower->poll();
  while (result.ok() && !*result) result = lower->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::remoteError);
  EXPECT_THAT(result.error().text, HasSubstr("protocol"));
}

TEST_F(TcpTransport, TimesOutWhenTheOtherEndNeverGreets) {
  settings_[0].timeoutSeconds = 0.05;
  auto lower = transports_[0]->connect(1, 0);
  auto result = lower->poll();
  while (result.ok() && !*result) result = lower->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
  EXPECT_THAT(result.error().text, HasSubstr("rank 1"));
}

TEST(TcpSocketOptions, APeerThatIsSlowToReadIsNotGivenUp) {
  const auto pair = test::makeSocketPair(Switchboard::Via::tcp);
  const unsigned strict = 2000;  // as the bootstrap sets it for its own, which are always read
  ASSERT_EQ(::setsockopt(pair.lower.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &strict, sizeof strict), 0);
  const auto configured = tcp::configure(pair.lower.get(), "");
  ASSERT_TRUE(configured.ok()) << configured.error().text;
  unsigned limit = 1;
  socklen_t size = sizeof limit;
  ASSERT_EQ(::getsockopt(pair.lower.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, &size), 0);
  EXPECT_EQ(limit, 0U);
}

TEST_F(TcpTransport, SaysWhyNot) {
  const auto a = directory_.processes[0];
  auto b = directory_.processes[1];
  EXPECT_EQ(transports_[0]->whyNot(a, b), "");
  b.addresses.clear();
  EXPECT_EQ(transports_[0]->whyNot(a, b), "pid 101 on host reef listens on no address");
  EXPECT_EQ(transports_[0]->whyNot(b, a), "pid 101 on host reef listens on no address");
}

}  // namespace
}  // namespace atl
