// SPDX-License-Identifier: Apache-2.0
// A call under way, and how one thread drives several of them.
#pragma once

#include <poll.h>

#include <span>
#include <vector>

#include "src/base/result.h"

namespace atl {

/// Driven by one thread at a time; never blocks, so that one thread can drive several.
class Execution {
 public:
  virtual ~Execution() = default;

  /// True when the call is complete. An error ends it, and the communicator with it (see Communicator::failure).
  virtual Result<bool> progress() = 0;

  /// Whether the last progress() moved anything: a driver waits only when none of its executions did.
  [[nodiscard]] virtual bool moved() const = 0;

  /// Polls before a driver with nothing to do should give up its core; 0 where ranks outnumber cores.
  [[nodiscard]] virtual int spin() const = 0;

  /// Adds what to poll(2) for in a long wait. Waits that also depend on memory flags must stay short.
  virtual void wanted(std::vector<pollfd>& fds) const = 0;

  /// Called instead of progress() after something else failed: gives back what peers or the kernel may still touch.
  virtual void cancel(const Error& reason) = 0;
};

/// Drives executions until all are done, spinning, yielding and at last sleeping while nothing moves. The first error
/// cancels the others and is returned; null entries are passed over.
Status drive(std::span<Execution* const> executions);

}  // namespace atl
