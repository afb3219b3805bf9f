// SPDX-License-Identifier: Apache-2.0
// What is UCX's own of a UCX link: what the conformance suite of message links cannot see.
#include "transports/ucx/ucx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "src/base/clock.h"
#include "tests/transports/fake_switchboard.h"
#include "tests/transports/message_traffic.h"
#include "transports/ucx/exchange.h"

namespace atl {
namespace {

using testing::HasSubstr;

/// Two ranks of two processes of one host.
class UcxTransport : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = whyNoUcx(); !why.empty()) GTEST_SKIP() << why;
    directory_.processes.resize(2);
    directory_.processOf = {0, 1};
    for (std::size_t i = 0; i < 2; ++i) {
      auto& process = directory_.processes[i];
      process.id = i + 1;
      process.host = 1;
      process.hostName = "reef";
      process.pid = static_cast<std::int32_t>(100 + i);
      process.localName = "never asked for";
    }
    settings_.timeoutSeconds = 30;
  }
  void TearDown() override { ::unsetenv("UCX_TLS"); }

  std::unique_ptr<Transport> transportOf(Rank rank) {
    TransportContext context;
    context.communicator = 8;
    context.rank = rank;
    context.directory = &directory_;
    context.settings = &settings_;
    context.switchboard = &switchboard_;
    return makeUcx(context);
  }

  /// This rank's end, when the other is in another process.
  static Result<std::unique_ptr<MessageLink>> linkTo(Transport& transport, Rank peer) {
    const auto pending = transport.connect(peer, 0);
    for (;;) {
      ATOLL_ASSIGN(const bool ready, pending->poll());
      if (ready) return std::get<std::unique_ptr<MessageLink>>(pending->take());
      std::this_thread::yield();
    }
  }

  test::FakeSwitchboard switchboard_;
  Directory directory_;
  Settings settings_;
};

TEST_F(UcxTransport, SaysWhyNot) {
  const auto transport = transportOf(0);
  auto a = directory_.processes[0];
  const auto b = directory_.processes[1];
  EXPECT_EQ(transport->whyNot(a, b), "");
  a.host = 2;
  EXPECT_THAT(transport->whyNot(a, b), HasSubstr("pid 100 on host reef listens on no address"));
  EXPECT_EQ(transport->whyNot(a, b), transport->whyNot(a, b));
}

TEST_F(UcxTransport, AStrangerForAPeerIsAProtocolError) {
  const auto transport = transportOf(0);
  auto pending = transport->connect(1, 0);
  const auto stream = switchboard_.open({8, 0, 1, 0, 0}, 1, directory_, Switchboard::Via::local, Deadline::never());
  const UniqueFd socket = stream->take();
  ASSERT_EQ(::send(socket.get(), "GET / HTTP/1.1\r\n", 16, MSG_NOSIGNAL), 16);
  auto result = pending->poll();
  while (result.ok() && !*result) result = pending->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::remoteError);
  EXPECT_THAT(result.error().text, HasSubstr("rank 1 (host reef, pid 101): protocol"));
}

TEST_F(UcxTransport, AnAddressThatIsNoneIsRefused) {
  const auto transport = transportOf(0);
  auto pending = transport->connect(1, 0);
  const auto stream = switchboard_.open({8, 0, 1, 0, 0}, 1, directory_, Switchboard::Via::local, Deadline::never());
  const std::vector<std::byte> zeros(64);
  ucx::Exchange exchange(stream->take(), 0, zeros);
  ASSERT_TRUE(exchange.poll().ok());
  auto result = pending->poll();
  while (result.ok() && !*result) result = pending->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().text, HasSubstr("UCX says"));
}

TEST_F(UcxTransport, TimesOutWhenTheOtherEndSaysNothing) {
  settings_.timeoutSeconds = 0.05;
  const auto transport = transportOf(0);
  auto pending = transport->connect(1, 0);
  auto result = pending->poll();
  while (result.ok() && !*result) result = pending->poll();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
  EXPECT_THAT(result.error().text, HasSubstr("rank 1"));
}

/// UCX must not be at work in a process that forks: so both ranks are children, and GoogleTest runs this, by its name,
/// before the tests that use UCX here.
class UcxDeathTest : public UcxTransport, public testing::WithParamInterface<const char*> {};

TEST_P(UcxDeathTest, OfThePeerIsNamedWithUcxsStatus) {
  switchboard_.prepare({8, 0, 1, 0, 0}, Switchboard::Via::local);
  const auto child = [](auto body) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::setenv("UCX_TLS", GetParam(), 1);
    ::setenv("UCX_KEEPALIVE_INTERVAL", "100ms", 1);
    ::_exit(body());
  };
  const pid_t victim = child([this] {
    const auto transport = transportOf(1);
    const auto link = linkTo(*transport, 0);
    if (!link.ok()) return 2;
    std::vector<std::byte> got(10);
    auto in = test::receiveWhole(got);
    (*link)->post(in);
    const auto done = test::progressUntil(**link, [&] { return in.done; });
    if (done.ok() && *done) ::raise(SIGKILL);
    return 3;
  });
  const pid_t survivor = child([this] {
    const auto transport = transportOf(0);
    const auto link = linkTo(*transport, 1);
    if (!link.ok()) return 2;
    const std::vector<std::byte> hello(10);
    std::vector<std::byte> room(1 << 20);
    auto out = test::sendWhole(hello);
    auto in = test::receiveWhole(room);
    (*link)->post(out);
    (*link)->post(in);
    const auto end = test::progressUntil(**link, [] { return false; });
    if (end.ok()) return 4;
    const bool named = end.error().code == ErrorCode::remoteError &&
                       end.error().text.find("rank 1 (host reef, pid 101) by ucx") != std::string::npos &&
                       end.error().text.find("UCX says: ") != std::string::npos;
    if (!named) std::fprintf(stderr, "%s\n", end.error().text.c_str());
    (*link)->cancel();
    return named && !in.done ? 0 : 5;
  });
  int status = 0;
  ASSERT_EQ(::waitpid(victim, &status, 0), victim);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  ASSERT_EQ(::waitpid(survivor, &status, 0), survivor);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

INSTANTIATE_TEST_SUITE_P(Over, UcxDeathTest, testing::Values("tcp", "posix"),
                         [](const auto& tls) { return std::string(tls.param); });

}  // namespace
}  // namespace atl
