// SPDX-License-Identifier: Apache-2.0
#include "transports/ucx/exchange.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace atl::ucx {
namespace {

bool wouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Exchange::Exchange(UniqueFd socket, std::uint32_t link, std::span<const std::byte> address)
    : socket_(std::move(socket)), mine_(sizeof(Greeting) + address.size()) {
  Greeting greeting;
  greeting.link = link;
  greeting.addressBytes = static_cast<std::uint32_t>(address.size());
  std::memcpy(mine_.data(), &greeting, sizeof greeting);
  std::memcpy(mine_.data() + sizeof greeting, address.data(), address.size());
}

Result<bool> Exchange::poll() {
  ATOLL_TRY(send());
  if (greeted_ < sizeof theirs_) {
    ATOLL_ASSIGN(const bool greeted, receive(&theirs_, sizeof theirs_, greeted_));
    if (!greeted) return false;
    ATOLL_TRY(check(theirs_));
    address_.resize(theirs_.addressBytes);
  }
  ATOLL_ASSIGN(const bool told, receive(address_.data(), address_.size(), told_));
  return told && sent_ == mine_.size();
}

Status Exchange::send() {
  while (sent_ < mine_.size()) {
    const ssize_t sent = ::send(socket_.get(), mine_.data() + sent_, mine_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && wouldBlock(errno)) return success();
    if (sent < 0) return systemError(errno, "cannot tell the other end where to send to");
    sent_ += static_cast<std::size_t>(sent);
  }
  return success();
}

Result<bool> Exchange::receive(void* to, std::size_t bytes, std::size_t& have) {
  while (have < bytes) {
    const ssize_t got = ::recv(socket_.get(), static_cast<std::byte*>(to) + have, bytes - have, MSG_DONTWAIT);
    if (got < 0 && wouldBlock(errno)) return false;
    if (got < 0 && errno != ECONNRESET) return systemError(errno, "cannot hear where the other end is");
    if (got <= 0) return makeError(ErrorCode::remoteError, "the other end closed the connection before its address");
    have += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace atl::ucx
