// SPDX-License-Identifier: Apache-2.0
// Data that travels with its flags (mail.h).
#pragma once

#include <cstdint>

#include "src/exec/cuda/device/job.h"
#include "src/exec/cuda/device/space.h"
#include "src/exec/cuda/device/turns.h"

namespace atl::device {

/// What it covers may be of any type.
using Word [[gnu::may_alias]] = std::uint32_t;

/// Up to four bytes as a word, the first lowest.
ATOLL_HOST_DEVICE inline std::uint32_t wordOf(const std::byte* from, std::uint64_t bytes) {
  if (bytes >= 4 && reinterpret_cast<std::uintptr_t>(from) % sizeof(Word) == 0)
    return *reinterpret_cast<const Word*>(from);
  std::uint32_t word = 0;
  for (std::uint64_t i = 0; i < bytes && i < 4; ++i) word |= static_cast<std::uint32_t>(from[i]) << (8 * i);
  return word;
}

/// All threads of the block call it.
template <Space X>
ATOLL_HOST_DEVICE void sendPackets(X& x, const Job& job) {
  for (std::uint64_t i = x.thread(); i < kTagPackets; i += x.threads()) {
    x.store(job.packets + i, packetOf(static_cast<std::uint32_t>(job.tag >> (32 * i)), job.number));
  }
  const std::uint64_t words = (job.bytes + 3) / 4;
  for (std::uint64_t i = x.thread(); i < words; i += x.threads()) {
    x.store(job.packets + kTagPackets + i, packetOf(wordOf(job.from + 4 * i, job.bytes - 4 * i), job.number));
  }
}

/// The data of a packet of piece `number`, which has been seen to begin. False if the run is to end first.
template <Space X>
ATOLL_HOST_DEVICE bool take(X& x, const Packet* from, std::uint64_t number, std::uint32_t& data) {
  for (std::uint32_t polls = 1;; ++polls) {
    if (polls == 2) x.beginWait();
    const Packet packet = x.load(from);
    if (flagOf(packet) == static_cast<std::uint32_t>(number)) {
      data = dataOf(packet);
      return true;
    }
    if (polls % kPollsBetweenLooks == 0 && x.interrupted()) return false;
    x.pause();
  }
}

}  // namespace atl::device
