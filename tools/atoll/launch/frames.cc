// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/frames.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace atl::launch {
namespace {

struct Header {
  FrameType type;
  Rank rank;
  std::uint32_t bytes;
};

constexpr std::size_t kReadBytes = std::size_t{64} << 10;

Status makeNonBlocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
    return systemError(errno, "cannot make a pipe non-blocking");
  return success();
}

}  // namespace

Result<FramePipe> FramePipe::over(UniqueFd in, UniqueFd out) {
  ATOLL_TRY(makeNonBlocking(in.get()));
  ATOLL_TRY(makeNonBlocking(out.get()));
  FramePipe pipe;
  pipe.in_ = std::move(in);
  pipe.out_ = std::move(out);
  return pipe;
}

void FramePipe::send(FrameType type, Rank rank, std::string_view payload) {
  if (written_ == outgoing_.size()) {
    outgoing_.clear();
    written_ = 0;
  }
  const Header header{type, rank, static_cast<std::uint32_t>(payload.size())};
  outgoing_.append(reinterpret_cast<const char*>(&header), sizeof header);
  outgoing_.append(payload);
}

Status FramePipe::flush() {
  while (written_ < outgoing_.size()) {
    const auto sent = ::write(out_.get(), outgoing_.data() + written_, outgoing_.size() - written_);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return success();
    if (sent < 0) return systemError(errno, "cannot write");
    written_ += static_cast<std::size_t>(sent);
  }
  return success();
}

void FramePipe::dropQueued() {
  outgoing_.clear();
  written_ = 0;
}

Result<bool> FramePipe::fill() {
  incoming_.erase(0, taken_);
  taken_ = 0;
  std::array<char, kReadBytes> buffer;
  for (;;) {
    const auto got = ::read(in_.get(), buffer.data(), buffer.size());
    if (got > 0) {
      incoming_.append(buffer.data(), static_cast<std::size_t>(got));
      return true;
    }
    if (got == 0) return false;
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
    if (errno == ECONNRESET) return false;
    return systemError(errno, "cannot read");
  }
}

Result<std::optional<Frame>> FramePipe::next() {
  Header header;
  if (incoming_.size() - taken_ < sizeof header) return std::optional<Frame>();
  std::memcpy(&header, incoming_.data() + taken_, sizeof header);
  if (header.bytes > kMaxFrameBytes) {
    return makeError(ErrorCode::remoteError, "a frame of {} bytes came, where {} is the most", header.bytes,
                     kMaxFrameBytes);
  }
  if (incoming_.size() - taken_ < sizeof header + header.bytes) return std::optional<Frame>();
  Frame frame{header.type, header.rank, incoming_.substr(taken_ + sizeof header, header.bytes)};
  taken_ += sizeof header + header.bytes;
  return std::optional(std::move(frame));
}

}  // namespace atl::launch
