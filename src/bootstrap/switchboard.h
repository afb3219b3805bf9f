// SPDX-License-Identifier: Apache-2.0
// The switchboard: joins two ranks by authenticated stream sockets, on request of a transport. One a process; it owns
// the process's listeners (TCP, and an abstract Unix socket for the same host) and runs on the service thread.
//
// A stranger who cannot prove the group's secret, or says anything malformed, is dropped; nothing else notices.
#pragma once

#include <cstdint>
#include <memory>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/unique_fd.h"
#include "src/bootstrap/directory.h"

namespace atl {

/// Which stream. The lower rank connects and the higher accepts.
struct StreamKey {
  std::uint64_t communicator = 0;
  Rank lower = 0;
  Rank higher = 0;
  std::uint16_t lane = 0;
  std::uint16_t index = 0;  ///< several streams of one link

  friend bool operator==(const StreamKey&, const StreamKey&) = default;
};

/// A stream on its way.
class PendingStream {
 public:
  virtual ~PendingStream() = default;
  /// True when the socket is there (take() gives it); never blocks. An error is final and names the peer and address.
  virtual Result<bool> poll() = 0;
  /// Connected, authenticated at both ends, non-blocking, close-on-exec; nothing of the user's has been read from it.
  virtual UniqueFd take() = 0;
};

class Switchboard {
 public:
  enum class Via : std::uint8_t { tcp, local };

  /// The process's own, started at first use.
  static Switchboard& instance();

  /// This end's half of a stream between `me` and `peer` (the two ranks of `key`). Both ends call it, in any order.
  virtual std::unique_ptr<PendingStream> open(const StreamKey& key, Rank me, const Directory& directory, Via via,
                                              Deadline deadline) = 0;

  virtual ~Switchboard() = default;
};

}  // namespace atl
