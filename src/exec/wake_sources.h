// SPDX-License-Identifier: Apache-2.0
// What can end a long wait: collected from the executions that a thread drives, when it has nothing left but to sleep.
#pragma once

#include <poll.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "transports/bell.h"

namespace atl {

class WakeSources {
 public:
  void clear() {
    descriptors.clear();
    bells_ = 0;
    unheard_ = false;
  }

  /// A bell that a peer rings, or would if it could: see Bell::heard.
  void add(Bell& bell) {
    FutexWord* const word = &bell.asleep;
    if (std::ranges::find(bells(), word) != bells().end()) return;
    if (bell.heard.load(std::memory_order_relaxed) == 0 || bells_ == words_.size()) return addUnheard();
    words_[bells_++] = word;
  }
  /// Something that wakes nobody, and has to be looked for now and then.
  void addUnheard() { unheard_ = true; }

  [[nodiscard]] std::span<FutexWord* const> bells() const { return {words_.data(), bells_}; }
  [[nodiscard]] bool unheard() const { return unheard_; }

  std::vector<pollfd> descriptors;  ///< what to poll(2) for

 private:
  // Not a vector: a call that has to wait allocates as little as one that does not.
  std::array<FutexWord*, kMostFutexWords> words_;
  std::size_t bells_ = 0;
  bool unheard_ = false;
};

}  // namespace atl
