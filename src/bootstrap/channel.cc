// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/channel.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "src/bootstrap/socket.h"

namespace atl {
namespace {

constexpr std::size_t kReadAtOnce = 64 << 10;

std::uint32_t bodyLength(const std::byte* header) {
  std::uint32_t length = 0;
  std::memcpy(&length, header, sizeof length);
  return length;
}

}  // namespace

std::shared_ptr<Channel> Channel::create(Service& service, UniqueFd fd, std::weak_ptr<ChannelOwner> owner) {
  expectPromptReader(fd.get());
  auto channel = std::make_shared<Channel>(service, std::move(fd), std::move(owner));
  const std::weak_ptr<Channel> weak = channel;
  channel->watch_ = service.watch(channel->fd_.get(), EPOLLIN, [weak](std::uint32_t events) {
    if (const auto self = weak.lock()) self->onEvents(events);
  });
  return channel;
}

Channel::Channel(Service& service, UniqueFd fd, std::weak_ptr<ChannelOwner> owner)
    : service_(service), fd_(std::move(fd)), owner_(std::move(owner)) {}

Channel::~Channel() {
  close();
}

std::string Channel::peer() const {
  return peerText(fd_.get());
}

void Channel::send(MessageType type, Body body) {
  if (!isOpen() || closing_) return;
  Frame frame{{}, std::move(body)};
  const auto length = static_cast<std::uint32_t>(frame.body->size());
  const auto kind = static_cast<std::uint16_t>(type);
  std::memcpy(frame.header.data(), &length, sizeof length);
  std::memcpy(&frame.header[4], &kind, sizeof kind);
  if (output_.empty()) service_.addUnsent();
  output_.push_back(std::move(frame));
  if (!wantsOutput_) writeMore();
}

void Channel::closeAfterSending() {
  closing_ = true;
  if (output_.empty()) return close();
  lingering_ = shared_from_this();
}

void Channel::close() {
  if (!isOpen()) return;
  service_.forget(watch_);
  if (!output_.empty()) service_.removeUnsent();
  output_.clear();
  fd_.reset();
  const auto last = std::move(lingering_);
}

void Channel::failed(const Error& why) {
  const auto self = shared_from_this();
  const bool expected = closing_;
  close();
  if (expected) return;
  if (const auto owner = owner_.lock()) owner->onClosed(self, why);
}

void Channel::onEvents(std::uint32_t events) {
  const auto self = shared_from_this();
  if ((events & EPOLLOUT) != 0 && isOpen()) writeMore();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && isOpen()) readMore();
}

void Channel::readMore() {
  if (input_.size() < inputUsed_ + kReadAtOnce) input_.resize(inputUsed_ + kReadAtOnce);
  const auto got = ::recv(fd_.get(), input_.data() + inputUsed_, input_.size() - inputUsed_, 0);
  if (got == 0) return failed(makeError(ErrorCode::remoteError, "connection closed"));
  if (got < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return;
    return failed(makeError(ErrorCode::remoteError, "connection failed: {}", std::strerror(errno)));
  }
  inputUsed_ += static_cast<std::size_t>(got);
  if (closing_) {
    inputUsed_ = 0;
    return;
  }
  if (deliverFrames() && inputUsed_ == 0 && input_.size() > 2 * kReadAtOnce) Bytes().swap(input_);
}

bool Channel::deliverFrames() {
  const auto self = shared_from_this();
  std::size_t from = 0;
  while (inputUsed_ - from >= kFrameHeaderBytes) {
    const std::byte* const header = input_.data() + from;
    const std::size_t length = bodyLength(header);
    std::uint16_t type = 0;
    std::memcpy(&type, header + 4, sizeof type);
    if (length > kMostFrameBytes) {
      failed(makeError(ErrorCode::mismatch, "a frame of {} bytes is announced, more than any may have", length));
      return false;
    }
    if (inputUsed_ - from < kFrameHeaderBytes + length) break;
    const auto body = std::span<const std::byte>(header + kFrameHeaderBytes, length);
    const auto owner = owner_.lock();
    const Status status = owner ? owner->onFrame(self, static_cast<MessageType>(type), body) : success();
    if (!status.ok()) failed(status.error());
    if (!isOpen() || closing_) return false;
    from += kFrameHeaderBytes + length;
  }
  if (from > 0) {
    std::memmove(input_.data(), input_.data() + from, inputUsed_ - from);
    inputUsed_ -= from;
  }
  return true;
}

void Channel::writeMore() {
  while (!output_.empty()) {
    Frame& frame = output_.front();
    std::array<iovec, 2> parts{};
    std::size_t count = 0;
    if (frame.sent < frame.header.size()) {
      parts[count++] = {frame.header.data() + frame.sent, frame.header.size() - frame.sent};
    }
    const std::size_t bodySent = frame.sent > frame.header.size() ? frame.sent - frame.header.size() : 0;
    if (bodySent < frame.body->size()) {
      // sendmsg does not write to what it sends; iovec has no const form.
      parts[count++] = {const_cast<std::byte*>(frame.body->data()) + bodySent, frame.body->size() - bodySent};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const auto sent = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return watchFor();
      // What the peer said before it went is still to be read; the end of that tells the owner.
      service_.removeUnsent();
      output_.clear();
      watchFor();
      if (closing_) close();
      return;
    }
    frame.sent += static_cast<std::size_t>(sent);
    if (frame.sent == frame.header.size() + frame.body->size()) output_.pop_front();
  }
  service_.removeUnsent();
  watchFor();
  if (closing_) close();
}

void Channel::watchFor() {
  const bool wants = !output_.empty();
  if (wants == wantsOutput_) return;
  wantsOutput_ = wants;
  service_.change(watch_, wants ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

}  // namespace atl
