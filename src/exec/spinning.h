// SPDX-License-Identifier: Apache-2.0
// How long a thread polls in a wait before it gives up its core. That a host has a core for every rank does not mean
// that each rank has one: the scheduler may put two of them on one core while another process has the other. Then every
// poll keeps the peer from what is waited for. Where each has its own, giving it up may cost a time slice: a process
// that shares the core has it until the slice ends, the peer meanwhile gives up his, and neither finds the other awake
// again. So before it gives up its core a thread looks where its peers last ran.
#pragma once

#include "src/exec/execution.h"

namespace atl {

/// What one thread found when it looked last. Not thread-safe.
class Spinning {
 public:
  /// The calling thread's.
  static Spinning& ofThisThread() {
    thread_local Spinning spinning;
    return spinning;
  }

  /// Polls before one looks, or gives up the core.
  [[nodiscard]] int polls(const Patience& patience) const {
    return patience.looks && sharesCore_ ? kFewest : patience.polls;
  }
  void found(CoreUse use) { sharesCore_ = use == CoreUse::shared; }

 private:
  static constexpr int kFewest = 8;
  bool sharesCore_ = false;
};

}  // namespace atl
