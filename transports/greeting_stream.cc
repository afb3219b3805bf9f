// SPDX-License-Identifier: Apache-2.0
#include "transports/greeting_stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace atl {
namespace {

bool wouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

bool isEnd(int error) {
  return error == ECONNRESET || error == EPIPE;
}

}  // namespace

void GreetingStream::say(std::span<const std::byte> bytes) {
  if (sent_ == outgoing_.size()) {
    outgoing_.clear();
    sent_ = 0;
  }
  outgoing_.insert(outgoing_.end(), bytes.begin(), bytes.end());
}

Result<bool> GreetingStream::flush() {
  while (sent_ < outgoing_.size()) {
    const ssize_t sent =
        ::send(socket_.get(), outgoing_.data() + sent_, outgoing_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && wouldBlock(errno)) return false;
    if (sent < 0 && isEnd(errno)) return true;  // what the peer said before it left is still to be heard
    if (sent < 0) return systemError(errno, "cannot tell the other end how to join");
    sent_ += static_cast<std::size_t>(sent);
  }
  return true;
}

Result<bool> GreetingStream::hear(void* to, std::size_t bytes, std::size_t& have) {
  while (have < bytes) {
    const ssize_t got = ::recv(socket_.get(), static_cast<std::byte*>(to) + have, bytes - have, MSG_DONTWAIT);
    if (got < 0 && wouldBlock(errno)) return false;
    if (got < 0 && !isEnd(errno)) return systemError(errno, "cannot hear how to join the other end");
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    have += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace atl
