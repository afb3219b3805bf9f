// SPDX-License-Identifier: Apache-2.0
// A plan lowered for a device: the arrays of a device::Program as one run of bytes, to be copied to wherever the device
// reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "src/base/result.h"
#include "src/exec/cuda/device/program.h"
#include "src/exec/host/layout.h"
#include "src/plan/plan.h"

namespace atl::device {

/// What lowering is told besides the plan.
struct LoweringOptions {
  std::uint64_t slotBytes = 0;    ///< of a slot of a link; a multiple of 16
  std::uint64_t packetBytes = 0;  ///< of data that the packets of a piece hold; a multiple of 16
  std::uint64_t packetsUpTo = 0;  ///< larger messages do not go as packets
  std::uint64_t tagBase = 0;      ///< of the call's record; 0: messages are not compared
  bool sendsEmpty = false;        ///< messages of nothing are sent too: barriers, blocks of unequal counts
  /// Of the messages of a step, by its chunk, where they are not the call's: not 0. Null: all are.
  std::function<std::uint64_t(const Chunk&)> tagOf = {};
};

/// Every link that a plan needs, once: peer and lane, in ascending order.
std::vector<std::pair<Rank, std::int32_t>> linksOf(const Plan& plan);

/// The end of the link to a peer on a lane, with addresses as the device sees them.
using DeviceLinks = std::function<Result<Link>(Rank peer, std::int32_t lane)>;

class ProgramImage {
 public:
  /// Errors are those of `links`.
  static Result<ProgramImage> of(const Plan& plan, const exec::Layout& layout, const DeviceLinks& links,
                                 const LoweringOptions& options);

  /// What is to lie at the address that program() is given: 16-byte aligned, and written by the runs too.
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

  /// The program whose arrays lie at `address`.
  [[nodiscard]] Program program(std::byte* address) const;

 private:
  ProgramImage() = default;

  std::vector<std::byte> bytes_;
  Program offsets_;  ///< its pointers are offsets from the address
};

}  // namespace atl::device
