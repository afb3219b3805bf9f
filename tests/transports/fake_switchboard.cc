// SPDX-License-Identifier: Apache-2.0
#include "tests/transports/fake_switchboard.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>

namespace atl::test {
namespace {

/// Has its socket from the start, or never.
class GivenStream : public PendingStream {
 public:
  explicit GivenStream(UniqueFd socket) : socket_(std::move(socket)) {}
  Result<bool> poll() override {
    if (!socket_) return makeError(ErrorCode::internalError, "this end of the stream was opened before");
    return true;
  }
  UniqueFd take() override { return std::move(socket_); }

 private:
  UniqueFd socket_;
};

SocketPair localPair() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

SocketPair tcpPair() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(listener.get(), raw, size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), raw, &size), 0);
  UniqueFd lower(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(lower.get(), raw, size), 0);
  EXPECT_EQ(::fcntl(lower.get(), F_SETFL, O_NONBLOCK), 0);
  UniqueFd higher(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  EXPECT_TRUE(higher.valid());
  return {std::move(lower), std::move(higher)};
}

}  // namespace

SocketPair makeSocketPair(Switchboard::Via via) {
  return via == Switchboard::Via::local ? localPair() : tcpPair();
}

void FakeSwitchboard::prepare(const StreamKey& key, Via via) {
  const std::lock_guard lock(mutex_);
  pairs_.try_emplace({key.communicator, key.lower, key.higher, key.lane, key.index}, makeSocketPair(via));
}

std::unique_ptr<PendingStream> FakeSwitchboard::open(const StreamKey& key, Rank me, const Directory& /*directory*/,
                                                     Via via, Deadline /*deadline*/) {
  const std::lock_guard lock(mutex_);
  const Key name{key.communicator, key.lower, key.higher, key.lane, key.index};
  auto found = pairs_.find(name);
  if (found == pairs_.end()) found = pairs_.try_emplace(name, makeSocketPair(via)).first;
  auto& pair = found->second;
  return std::make_unique<GivenStream>(std::move(me == key.lower ? pair.lower : pair.higher));
}

}  // namespace atl::test
