// SPDX-License-Identifier: Apache-2.0
// Reading a fixed number of bytes from a non-blocking socket, as they come, and not one byte more.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>

#include "src/base/result.h"

namespace atl {

class PartialRead {
 public:
  static constexpr std::size_t kMost = 128;

  void expect(std::size_t bytes) {
    wanted_ = bytes;
    have_ = 0;
  }
  /// True when all is there; false when more must come; an error when the peer closed or the socket failed.
  Result<bool> from(int fd) {
    while (have_ < wanted_) {
      const auto got = ::recv(fd, buffer_.data() + have_, wanted_ - have_, 0);
      if (got > 0) {
        have_ += static_cast<std::size_t>(got);
      } else if (got == 0) {
        return makeError(ErrorCode::remoteError, "the connection was closed after {} of {} bytes", have_, wanted_);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return false;
      } else if (errno != EINTR) {
        return systemError(errno, "the connection failed");
      }
    }
    return true;
  }
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::span(buffer_).first(have_); }

 private:
  std::array<std::byte, kMost> buffer_{};
  std::size_t wanted_ = 0;
  std::size_t have_ = 0;
};

/// Sends a few bytes on a socket whose send buffer is still empty; false if they did not all go.
inline bool sendSmall(int fd, std::span<const std::byte> bytes) {
  return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

}  // namespace atl
