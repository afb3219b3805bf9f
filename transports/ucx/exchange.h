// SPDX-License-Identifier: Apache-2.0
// How two ends of a UCX link tell each other where they are: a greeting and an address each way over a stream of the
// bootstrap.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "transports/greeting_stream.h"
#include "transports/ucx/wire.h"

namespace atl::ucx {

class Exchange {
 public:
  /// A connected, non-blocking stream socket.
  Exchange(UniqueFd socket, std::uint32_t link, std::span<const std::byte> address);

  /// Never blocks. True when both have been told; an error says what is wrong with what came.
  Result<bool> poll();

  /// What the peer calls the link, and the address of its worker.
  [[nodiscard]] std::uint32_t peerLink() const { return theirs_.link; }
  [[nodiscard]] const std::vector<std::byte>& peerAddress() const { return address_; }

 private:
  [[nodiscard]] Status stillThere() const;

  GreetingStream stream_;
  Greeting theirs_;
  std::size_t greeted_ = 0;         ///< bytes of the greeting that have come
  std::vector<std::byte> address_;  ///< sized by the greeting
  std::size_t told_ = 0;            ///< bytes of it that have come
};

}  // namespace atl::ucx
