// SPDX-License-Identifier: Apache-2.0
// All-to-alls with a count for each pair of ranks, where blocks travel in stages.
//
// A rank that passes blocks on for others would have to know their sizes, and it knows its own only. So each block is
// taken apart. Its head says how large the block is and holds the first bytes of it; heads are of one size everywhere,
// so they are an all-to-all of equal blocks, which may go by any algorithm. What exceeds a head, its tail, goes
// straight to where it is for, at the same time: both ends know its size. So small blocks travel in the few messages of
// a staged all-to-all and large ones on the shortest way, in one call, however skewed it is; and ranks whose counts do
// not fit together learn which.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/base/result.h"
#include "src/comm/program_cache.h"
#include "src/exec/call.h"
#include "src/exec/execution.h"
#include "src/exec/host/host_execution.h"

namespace atl {

/// A call of atollAllToAllV in heads and tails. One a communicator, reused by every call.
class HeadsAndTails final : public Execution {
 public:
  /// `heads` runs the heads; it is the communicator's, and outlives this.
  HeadsAndTails(const exec::HostExecution::Environment& environment, exec::HostExecution& heads);

  /// Takes up a call, whose arrays and buffers stay until it is complete. `headBytes` is headBytesFor()'s
  /// (head_bytes.h), not 0.
  Status begin(const Call& call, std::size_t headBytes, ProgramCache& programs, std::uint64_t sequence);

  Result<bool> progress() override;
  [[nodiscard]] bool moved() const override { return moved_; }
  [[nodiscard]] Patience patience() const override { return heads_.patience(); }
  CoreUse coreUse() override { return std::max(heads_.coreUse(), tails_.coreUse()); }
  void wanted(WakeSources& sources) const override;
  void cancel(const Error& reason) override;

  [[nodiscard]] std::size_t bytesHeld() const {
    return sizeof *this + leaving_.capacity() + arriving_.capacity() + tailsOfCall_.capacity() * sizeof(PointToPoint) +
           tails_.bytesHeld();
  }

 private:
  void packHeads();
  void listTails();
  Status takeHeads() const;
  /// Of a block of this rank's, for or from a peer.
  [[nodiscard]] std::size_t bytesOf(const std::size_t* counts, Rank peer) const;
  [[nodiscard]] std::size_t inHead(std::size_t bytes) const;

  const exec::HostExecution::Environment environment_;
  exec::HostExecution& heads_;
  exec::HostExecution tails_;
  Call call_;
  std::uint64_t sequence_ = 0;
  std::size_t headBytes_ = 0;
  std::vector<std::byte> leaving_;   ///< heads, by destination
  std::vector<std::byte> arriving_;  ///< heads, by source
  std::vector<PointToPoint> tailsOfCall_;
  bool moved_ = false;
};

}  // namespace atl
