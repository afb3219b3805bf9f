// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/launcher_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace atl {
namespace {

constexpr int kPollMilliseconds = 1000;

/// Waits for `events` on a descriptor, which may be a blocking one.
Status waitFor(int fd, short events, Deadline deadline, std::string_view what) {
  for (;;) {
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, deadline.pollMilliseconds(kPollMilliseconds));
    if (ready > 0) return success();
    if (ready < 0 && errno != EINTR) return systemError(errno, what);
    if (deadline.passed()) return makeError(ErrorCode::timeout, "{} within the time limit", what);
  }
}

}  // namespace

Status writeLine(int fd, std::string_view line, Deadline deadline) {
  std::string text(line);
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    ATOLL_TRY(waitFor(fd, POLLOUT, deadline, "the launcher did not take a line"));
    const auto sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return systemError(errno, "cannot write to the launcher");
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return success();
}

Result<std::string> readLine(int fd, std::size_t maxBytes, Deadline deadline) {
  std::string line;
  for (;;) {
    ATOLL_TRY(waitFor(fd, POLLIN, deadline, "the launcher did not send a line"));
    char c = 0;
    const auto got = ::recv(fd, &c, 1, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return systemError(errno, "cannot read from the launcher");
    if (got == 0) return makeError(ErrorCode::remoteError, "the launcher closed its connection");
    if (c == '\n') return line;
    if (line.size() == maxBytes) {
      return makeError(ErrorCode::remoteError, "the launcher sent a line of more than {} bytes", maxBytes);
    }
    line += c;
  }
}

}  // namespace atl
