// SPDX-License-Identifier: Apache-2.0
// One end of a link, for benchmarks of links alone: whole messages, sent and received by a thread that waits. The bytes
// take the ways that the executor has for them.
#pragma once

#include <cstddef>
#include <memory>

#include "transports/link.h"
#include "transports/outbox.h"

namespace atl::bench {

class BlockingEnd {
 public:
  virtual ~BlockingEnd() = default;
  /// Returns when the message is on its way. `data` stays as it is until the peer has received the message.
  virtual void send(const std::byte* data, std::size_t bytes) = 0;
  /// Returns when a message of that size is in `data`.
  virtual void receive(std::byte* data, std::size_t bytes) = 0;
};

/// An end over a link of either family. `outbox` is this rank's, and outlives the end. A failure of the link ends the
/// program with its reason.
std::unique_ptr<BlockingEnd> makeBlockingEnd(Link link, Outbox& outbox);

}  // namespace atl::bench
