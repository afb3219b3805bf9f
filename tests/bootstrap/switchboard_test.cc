// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/switchboard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <thread>

#include "src/bootstrap/session.h"

namespace atl {
namespace {

/// Two ranks of this process that have endpoints, because they may not use the in-process transport.
std::shared_ptr<Session> reachablePair() {
  Settings settings;
  settings.transports = "tcp,shm";
  return Session::local(2, settings);
}

Result<UniqueFd> finish(PendingStream& stream) {
  const auto limit = Deadline::inSeconds(20);
  while (!limit.passed()) {
    ATOLL_ASSIGN(const bool there, stream.poll());
    if (there) return stream.take();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return makeError(ErrorCode::timeout, "the stream did not come");
}

void expectCarries(int from, int to, const std::string& text) {
  ASSERT_EQ(::send(from, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  std::array<char, 64> buffer{};
  pollfd readable{to, POLLIN, 0};
  ASSERT_EQ(::poll(&readable, 1, 20000), 1);
  ASSERT_EQ(::recv(to, buffer.data(), buffer.size(), 0), static_cast<ssize_t>(text.size()));
  EXPECT_EQ(std::string(buffer.data(), text.size()), text);
}

class SwitchboardVia : public ::testing::TestWithParam<Switchboard::Via> {};

TEST_P(SwitchboardVia, BothEnds_GetOneStream) {
  const auto session = reachablePair();
  const StreamKey key{session->communicator(), 0, 1, 3, 0};
  auto& switchboard = Switchboard::instance();
  const auto lower = switchboard.open(key, 0, session->directory(), GetParam(), Deadline::inSeconds(20));
  const auto higher = switchboard.open(key, 1, session->directory(), GetParam(), Deadline::inSeconds(20));
  const auto a = finish(*lower);
  const auto b = finish(*higher);
  ASSERT_TRUE(a.ok()) << a.error().text;
  ASSERT_TRUE(b.ok()) << b.error().text;
  expectCarries(a->get(), b->get(), "from lower to higher");
  expectCarries(b->get(), a->get(), "and back");
  for (const int fd : {a->get(), b->get()}) {
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_P(SwitchboardVia, StreamThatComesEarly_IsParkedUntilItIsAskedFor) {
  const auto session = reachablePair();
  auto& switchboard = Switchboard::instance();
  const StreamKey early{session->communicator(), 0, 1, 0, 0};
  const StreamKey other{session->communicator(), 0, 1, 0, 1};
  const auto lower = switchboard.open(early, 0, session->directory(), GetParam(), Deadline::inSeconds(20));
  // Another stream goes all the way meanwhile: connections are served in order, so that the early one has come by then.
  const auto otherLower = switchboard.open(other, 0, session->directory(), GetParam(), Deadline::inSeconds(20));
  const auto otherHigher = switchboard.open(other, 1, session->directory(), GetParam(), Deadline::inSeconds(20));
  ASSERT_TRUE(finish(*otherLower).ok());
  ASSERT_TRUE(finish(*otherHigher).ok());
  const auto before = lower->poll();
  ASSERT_TRUE(before.ok());
  EXPECT_FALSE(*before) << "nobody has asked for the other end";
  const auto higher = switchboard.open(early, 1, session->directory(), GetParam(), Deadline::inSeconds(20));
  const auto a = finish(*lower);
  const auto b = finish(*higher);
  ASSERT_TRUE(a.ok() && b.ok());
  expectCarries(a->get(), b->get(), "late but whole");
}

INSTANTIATE_TEST_SUITE_P(Ways, SwitchboardVia, ::testing::Values(Switchboard::Via::tcp, Switchboard::Via::local),
                         [](const auto& way) { return way.param == Switchboard::Via::tcp ? "Tcp" : "Local"; });

TEST(Switchboard, PeerThatNeverAsks_IsNamedAtTheDeadline) {
  const auto session = reachablePair();
  const StreamKey key{session->communicator(), 0, 1, 0, 0};
  for (const Rank me : {0, 1}) {
    const auto pending =
        Switchboard::instance().open(key, me, session->directory(), Switchboard::Via::tcp, Deadline::inSeconds(0.2));
    const auto fd = finish(*pending);
    ASSERT_FALSE(fd.ok());
    EXPECT_EQ(fd.error().code, ErrorCode::timeout);
    EXPECT_NE(fd.error().text.find("stream to rank " + std::to_string(1 - me) + " (host"), std::string::npos)
        << fd.error().text;
  }
}

TEST(Switchboard, OtherSecret_IsRefused) {
  const auto session = reachablePair();
  Directory forged = session->directory();
  forged.secret[0] ^= 1;
  const StreamKey key{session->communicator(), 0, 1, 0, 0};
  const auto honest =
      Switchboard::instance().open(key, 1, session->directory(), Switchboard::Via::tcp, Deadline::inSeconds(0.5));
  const auto pending = Switchboard::instance().open(key, 0, forged, Switchboard::Via::tcp, Deadline::inSeconds(0.3));
  EXPECT_FALSE(finish(*pending).ok());
  EXPECT_FALSE(finish(*honest).ok()) << "the forged stream must not be taken for the one that is waited for";
}

TEST(Switchboard, RanksThatMakeNoPair_AreRefused) {
  const auto session = reachablePair();
  const StreamKey key{session->communicator(), 1, 0, 0, 0};
  EXPECT_FALSE(Switchboard::instance()
                   .open(key, 0, session->directory(), Switchboard::Via::tcp, Deadline::inSeconds(1))
                   ->poll()
                   .ok());
}

}  // namespace
}  // namespace atl
