// SPDX-License-Identifier: Apache-2.0
// What the leader of a block has all of its threads do, one thing at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/exec/cuda/device/mail.h"
#include "src/exec/cuda/device/program.h"

namespace atl::device {

struct Job {
  enum class Kind : std::uint32_t {
    stop,         ///< the lane is done, or has failed
    copy,         ///< `to` ← `from`
    sendPackets,  ///< `packets` ← tag and `from`
    fold,         ///< `to` ← the operands of `combining`, from where each stands
  };
  Kind kind = Kind::stop;
  std::uint64_t bytes = 0;
  std::byte* to = nullptr;
  const std::byte* from = nullptr;
  Packet* packets = nullptr;
  std::uint64_t number = 0;  ///< sendPackets: of the piece
  std::uint64_t tag = 0;     ///< likewise
  const Incoming* operands = nullptr;
  std::int32_t operandCount = 0;
  bool finish = false;

  /// fold: more is to be done than to copy.
  [[nodiscard]] ATOLL_HOST_DEVICE bool reduces() const { return operandCount > 1 || finish; }
};

}  // namespace atl::device
