// SPDX-License-Identifier: Apache-2.0
// A call under way, and how one thread drives several of them.
#pragma once

#include <cstdint>
#include <span>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/exec/wake_sources.h"

namespace atl {

/// How long a thread with nothing to do stays awake.
struct Patience {
  int polls = 0;       ///< before it gives up its core at every further poll; 0 where ranks outnumber cores
  Duration awake{0};   ///< from then on, before it sleeps
  bool looks = false;  ///< it gives up its core only where a peer was last seen on it (spinning.h)
};

/// Which peers, of those whose part is waited for, need the core of the one who waits.
enum class CoreUse : std::uint8_t {
  own,      ///< none: all were last seen on others
  unknown,  ///< of some it is not known where they are
  shared,   ///< one was last seen on it
};

/// Driven by one thread at a time; never blocks, so that one thread can drive several.
class Execution {
 public:
  virtual ~Execution() = default;

  /// True when the call is complete. An error ends it, and the communicator with it (see Communicator::failure).
  virtual Result<bool> progress() = 0;

  /// Whether the last progress() moved anything: a driver waits only when none of its executions did.
  [[nodiscard]] virtual bool moved() const = 0;

  [[nodiscard]] virtual Patience patience() const = 0;

  /// Tells the peers on which core the calling thread runs, and returns who else needs that core.
  virtual CoreUse coreUse() { return CoreUse::unknown; }

  /// Adds all that may let the next progress() move something. What another thread of this process knows, such as the
  /// news of a death, is not among it: no sleep is long.
  virtual void wanted(WakeSources& sources) const = 0;

  /// Called instead of progress() after something else failed: gives back what peers or the kernel may still touch.
  virtual void cancel(const Error& reason) = 0;
};

/// Drives executions until all are done, spinning, yielding and at last sleeping while nothing moves. The first error
/// cancels the others and is returned; null entries are passed over.
Status drive(std::span<Execution* const> executions);

}  // namespace atl
