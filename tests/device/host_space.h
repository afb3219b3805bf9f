// SPDX-License-Identifier: Apache-2.0
// A Space (src/exec/cuda/device/space.h) of host threads: a block is a group of them, on any number of cores.
#pragma once

#include <barrier>
#include <chrono>
#include <cstdint>
#include <thread>

#include "src/exec/cuda/device/mail.h"
#include "src/exec/cuda/device/signals.h"

namespace atl::test {

/// What the threads of a block share, besides a device::Block.
struct HostBlock {
  HostBlock(std::uint32_t threads, const device::Signals& itsSignals)
      : count(threads), together(threads), signals(itsSignals) {}

  const std::uint32_t count;
  std::barrier<> together;
  const device::Signals& signals;
};

class HostSpace {
 public:
  HostSpace(HostBlock& block, std::uint32_t thread) : block_(block), thread_(thread) {}

  [[nodiscard]] std::uint32_t thread() const { return thread_; }
  [[nodiscard]] std::uint32_t threads() const { return block_.count; }
  void sync() { block_.together.arrive_and_wait(); }

  static std::uint64_t acquire(const std::uint64_t* flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE); }
  static void release(std::uint64_t* flag, std::uint64_t value) { __atomic_store_n(flag, value, __ATOMIC_RELEASE); }
  static std::uint64_t add(std::uint64_t* word, std::uint64_t value) {
    return __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL);
  }
  static std::uint64_t look(const std::uint64_t* word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
  static void put(std::uint64_t* word, std::uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
  static device::Packet load(const device::Packet* packet) { return __atomic_load_n(packet, __ATOMIC_RELAXED); }
  static void store(device::Packet* packet, device::Packet value) { __atomic_store_n(packet, value, __ATOMIC_RELAXED); }

  void beginWait() { waits_ = false; }
  [[nodiscard]] bool interrupted() {
    if (look(&block_.signals.abort) != 0) return true;
    const std::uint64_t patience = look(&block_.signals.patience);
    if (patience == 0) return false;
    const auto now = std::chrono::steady_clock::now();
    if (!waits_) since_ = now;
    waits_ = true;
    return now - since_ > std::chrono::nanoseconds(patience);
  }
  static void pause() { std::this_thread::yield(); }

 private:
  HostBlock& block_;
  const std::uint32_t thread_;
  bool waits_ = false;
  std::chrono::steady_clock::time_point since_;
};

}  // namespace atl::test
