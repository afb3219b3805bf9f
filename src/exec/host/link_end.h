// SPDX-License-Identifier: Apache-2.0
// My end of a link, as the executor keeps it: the link itself, and whose turn it is on it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "src/base/types.h"
#include "src/exec/host/bounce_copy.h"
#include "transports/transport.h"

namespace atl::exec {

/// The messages of a link are in order. Steps of one round may run together, so each takes a ticket when it begins and
/// touches the link only when that ticket is served.
class Turns {
 public:
  std::uint64_t take() { return taken_++; }
  [[nodiscard]] bool isMine(std::uint64_t ticket) const { return ticket == served_; }
  void done() { ++served_; }

 private:
  std::uint64_t taken_ = 0;
  std::uint64_t served_ = 0;
};

struct LinkEnd {
  Rank peer = kNoRank;
  std::string transport;                 ///< its name, for error texts
  std::unique_ptr<PendingLink> pending;  ///< until both ends have the link
  MemoryLink memory;                     ///< valid when `message` is null and nothing is pending
  std::unique_ptr<MessageLink> message;

  BounceCopier copier;
  Turns sending;
  Turns receiving;
  std::uint64_t pairSends = 0;  ///< point-to-point messages so far, which their call records number
  std::uint64_t pairReceives = 0;

  [[nodiscard]] bool isMemory() const { return message == nullptr; }

  /// True when the link is ready.
  Result<bool> connect() {
    if (pending == nullptr) return true;
    auto polled = pending->poll();
    if (!polled.ok() || !polled.value()) return polled;
    Link link = pending->take();
    if (auto* m = std::get_if<MemoryLink>(&link)) {
      memory = std::move(*m);
      promiseToRing(memory.out->bell);
    } else {
      message = std::get<std::unique_ptr<MessageLink>>(std::move(link));
    }
    pending.reset();
    return true;
  }
};

/// Is shown links one after another, some perhaps more than once. Not a list, which would have to be allocated.
using LinkVisitor = std::function<void(const LinkEnd&)>;

}  // namespace atl::exec
