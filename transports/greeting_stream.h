// SPDX-License-Identifier: Apache-2.0
// The stream by which two ends of a link tell each other what they need to join. Neither end waits for the other before
// it says its own; nothing here blocks.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/base/unique_fd.h"

namespace atl {

class GreetingStream {
 public:
  /// A connected, non-blocking stream socket.
  explicit GreetingStream(UniqueFd socket) : socket_(std::move(socket)) {}

  /// Queues bytes behind those that were said before.
  void say(std::span<const std::byte> bytes);
  /// True when all that was said has left, or nobody is there any more to hear it.
  Result<bool> flush();
  /// Receives up to `bytes` in all, of which `have` are there; true when they are complete.
  Result<bool> hear(void* to, std::size_t bytes, std::size_t& have);
  /// The peer has closed its end, and all that it said before has been heard.
  [[nodiscard]] bool ended() const { return ended_; }

  [[nodiscard]] int descriptor() const { return socket_.get(); }

 private:
  UniqueFd socket_;
  std::vector<std::byte> outgoing_;
  std::size_t sent_ = 0;
  bool ended_ = false;
};

}  // namespace atl
