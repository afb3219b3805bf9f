// SPDX-License-Identifier: Apache-2.0
// How two ends of a link connect by a plug-in, each way: they tell each other the handle on which they listen, then
// call connect and accept again and again until both have given a connection.
#pragma once

#include <cstddef>
#include <memory>

#include "src/base/unique_fd.h"
#include "transports/greeting_stream.h"
#include "transports/ncclnet/comm.h"
#include "transports/ncclnet/wire.h"

namespace atl::ncclnet {

class Meeting {
 public:
  explicit Meeting(std::shared_ptr<Context> context) : context_(std::move(context)) {}

  /// Once: begins to listen, and tells the peer where. A connected, non-blocking stream socket.
  Status begin(UniqueFd stream);
  /// After that, until it is true: never blocks.
  Result<bool> poll();

  [[nodiscard]] bool greeted() const { return greeted_ == sizeof theirs_; }
  // When poll() was true.
  [[nodiscard]] std::unique_ptr<Comm> takeSend() { return std::move(send_); }
  [[nodiscard]] std::unique_ptr<Comm> takeReceive() { return std::move(receive_); }
  [[nodiscard]] std::uint64_t blockBytes() const { return blockBytes_; }

 private:
  Status hear();
  Status connect();
  Status accept();

  std::shared_ptr<Context> context_;
  GreetingStream stream_{UniqueFd()};
  Greeting mine_;
  Greeting theirs_;  ///< stays in its place: plug-ins keep notes in the handle while they connect
  std::size_t greeted_ = 0;
  std::uint64_t blockBytes_ = 0;
  std::unique_ptr<Comm> listen_;
  std::unique_ptr<Comm> send_;
  std::unique_ptr<Comm> receive_;
};

}  // namespace atl::ncclnet
