// SPDX-License-Identifier: Apache-2.0
// What all message links have in common while they are on their way: whom they are to join, until when, and the texts
// of errors and of the log.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "transports/transport.h"

namespace atl {

class PendingMessageLink : public PendingLink {
 public:
  /// True once advance() is; errors name the transport, the lane and the peer. After ATOLL_TIMEOUT it is an error.
  Result<bool> poll() final;
  /// Logs what it gives.
  Link take() final;

 protected:
  /// The context belongs to the transport, which outlives its pending links. `transport`: its name.
  PendingMessageLink(const TransportContext& context, std::string_view transport, Rank peer, int lane);

  /// Does what can be done without blocking; true when the link is there.
  virtual Result<bool> advance() = 0;
  /// What the other end has not done yet: "come", "say where it is".
  [[nodiscard]] virtual std::string_view awaited() const = 0;
  /// When advance() was true, once.
  virtual std::unique_ptr<MessageLink> finish() = 0;

  [[nodiscard]] const TransportContext& context() const { return context_; }
  [[nodiscard]] const Directory& directory() const { return *context_.directory; }
  [[nodiscard]] Rank peer() const { return peer_; }
  [[nodiscard]] int lane() const { return lane_; }
  [[nodiscard]] Deadline deadline() const { return deadline_; }
  /// "rank 3 (host n07, pid 4711)".
  [[nodiscard]] std::string peerName() const { return directory().name(peer_); }

 private:
  const TransportContext& context_;
  std::string_view transport_;
  Rank peer_;
  int lane_;
  Deadline deadline_;
};

}  // namespace atl
