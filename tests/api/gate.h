// SPDX-License-Identifier: Apache-2.0
// Holds calls at a place that the test knows of.
#pragma once

#include <condition_variable>
#include <mutex>

#include "atoll/atoll.h"

namespace atl::api {

/// A reduction that says when it runs, and runs until it is let go.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false;
  bool open = false;

  static void reduce(const void*, void*, size_t, atollDataType_t, void* context) {
    auto& gate = *static_cast<Gate*>(context);
    std::unique_lock lock(gate.mutex);
    gate.entered = true;
    gate.changed.notify_all();
    gate.changed.wait(lock, [&] { return gate.open; });
  }
  void awaitEntered() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered; });
  }
  void letGo() {
    const std::scoped_lock lock(mutex);
    open = true;
    changed.notify_all();
  }
};

}  // namespace atl::api
