// SPDX-License-Identifier: Apache-2.0
// A greeted stream that carries frames. On the service thread only.
#pragma once

#include <deque>
#include <memory>
#include <span>

#include "src/base/result.h"
#include "src/base/unique_fd.h"
#include "src/bootstrap/messages.h"
#include "src/bootstrap/service.h"

namespace atl {

class Channel;

/// Whom a channel belongs to.
class ChannelOwner {
 public:
  virtual ~ChannelOwner() = default;
  /// A frame has come. An error ends the channel, as if the connection had failed with it.
  virtual Status onFrame(const std::shared_ptr<Channel>& channel, MessageType type,
                         std::span<const std::byte> body) = 0;
  /// The connection is closed or failed; nothing more comes of this channel. Not called after close().
  virtual void onClosed(const std::shared_ptr<Channel>& channel, const Error& why) = 0;
};

class Channel : public std::enable_shared_from_this<Channel> {
 public:
  using Body = std::shared_ptr<const Bytes>;

  static std::shared_ptr<Channel> create(Service& service, UniqueFd fd, std::weak_ptr<ChannelOwner> owner);
  Channel(Service& service, UniqueFd fd, std::weak_ptr<ChannelOwner> owner);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void setOwner(std::weak_ptr<ChannelOwner> owner) { owner_ = std::move(owner); }
  /// Queues a frame and sends what the socket takes at once. The body may be shared by several channels.
  void send(MessageType type, Body body);
  void send(MessageType type, Bytes body) { send(type, std::make_shared<const Bytes>(std::move(body))); }
  /// Closes once everything queued has gone, and keeps itself alive until then; what comes in meanwhile is ignored.
  void closeAfterSending();
  void close();
  [[nodiscard]] bool isOpen() const { return fd_.valid(); }
  [[nodiscard]] std::string peer() const;

 private:
  struct Frame {
    std::array<std::byte, kFrameHeaderBytes> header;
    Body body;
    std::size_t sent = 0;
  };

  void onEvents(std::uint32_t events);
  void readMore();
  bool deliverFrames();
  void writeMore();
  void failed(const Error& why);
  void watchFor();

  Service& service_;
  UniqueFd fd_;
  std::weak_ptr<ChannelOwner> owner_;
  Service::WatchId watch_ = 0;
  bool wantsOutput_ = false;
  bool closing_ = false;
  std::shared_ptr<Channel> lingering_;  ///< itself, while it closes
  std::deque<Frame> output_;
  Bytes input_;
  std::size_t inputUsed_ = 0;  ///< bytes of input_ that hold data
};

}  // namespace atl
