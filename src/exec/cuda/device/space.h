// SPDX-License-Identifier: Apache-2.0
// Where device code runs. The code that decides when something moves is written once, over a Space: a CUDA thread
// block, or a group of host threads with the same contract, on which ThreadSanitizer sees every order that is missing.
//
// Threads of a block are numbered from 0; thread 0 leads. What goes between blocks is ordered by flags alone, never by
// fences: what a block stored before a sync() is seen by whoever acquires a flag that one of its threads released after
// it.
#pragma once

#include <concepts>
#include <cstdint>

#include "src/base/host_device.h"
#include "src/exec/cuda/device/mail.h"

namespace atl::device {

template <class X>
concept Space = requires(X& x, std::uint64_t* word, const std::uint64_t* flag, std::uint64_t value) {
  { x.thread() } -> std::same_as<std::uint32_t>;
  { x.threads() } -> std::same_as<std::uint32_t>;
  x.sync();  // all threads of the block

  // Flags, by any thread. System scope: other devices and the host see them.
  { x.acquire(flag) } -> std::same_as<std::uint64_t>;
  x.release(word, value);
  { x.add(word, value) } -> std::same_as<std::uint64_t>;  // what was there before; acquires and releases
  // One thread's word that others look at without anything depending on it.
  { x.look(flag) } -> std::same_as<std::uint64_t>;
  x.put(word, value);

  // Packets: whole, in no order.
  { x.load(static_cast<const Packet*>(flag)) } -> std::same_as<Packet>;
  x.store(static_cast<Packet*>(word), value);

  // For waits, by any thread: one begins; whether the host wants the run to end or the wait has lasted too long; a rest
  // between polls.
  x.beginWait();
  { x.interrupted() } -> std::same_as<bool>;
  x.pause();
};

}  // namespace atl::device
