// SPDX-License-Identifier: Apache-2.0
// A block of threads walks one lane of a program.
#pragma once

#include <cstdint>
#include <new>

#include "src/exec/cuda/device/leader.h"
#include "src/exec/cuda/device/packets.h"
#include "src/exec/cuda/device/quads.h"

namespace atl::device {

/// False if the run is to end before the job is done.
template <Space X, class Folding>
ATOLL_HOST_DEVICE bool perform(X& x, const Job& job, const Folding& folding) {
  switch (job.kind) {
    case Job::Kind::stop: return true;
    case Job::Kind::copy:
      // In place a rank's own block is where it belongs, and peers may be reading it there.
      if (job.to != job.from) copyBytes(x, job.to, job.from, job.bytes);
      return true;
    case Job::Kind::sendPackets: sendPackets(x, job); return true;
    case Job::Kind::fold: return folding(x, job);
  }
  return true;
}

/// A block's own memory. What leads the block is there, not in registers, which are for what all threads do.
template <Space X>
struct Block {
  Job job;
  Turn turn;             ///< of the present run
  std::uint64_t failed;  ///< not 0: a thread gave up in the middle of a job
  alignas(Leader<X>) unsigned char leader[sizeof(Leader<X>)];
};

/// All threads of the block call it, once for each call of the collective, whose turn is in the block. Lanes of a rank,
/// and ranks, run at the same time, or wait for ever. `folding(x, job)` does a job of kind fold, as fold() does by some
/// Reduction.
template <Space X, class Folding>
ATOLL_HOST_DEVICE void walk(X& x, Block<X>& block, const Run& run, std::int32_t lane, const Folding& folding) {
  const bool leads = x.thread() == 0;
  Leader<X>* leader = nullptr;
  if (leads) {
    leader = new (block.leader) Leader<X>(x, run, lane, block.turn);
    block.failed = 0;
    leader->begin();
  }
  for (;;) {
    if (leads) {
      if (x.look(&block.failed) == 0) {
        block.job = leader->next();
      } else {
        leader->giveUp();
        block.job.kind = Job::Kind::stop;
      }
    }
    x.sync();
    const Job job = block.job;
    if (job.kind == Job::Kind::stop) return;
    if (!perform(x, job, folding)) x.put(&block.failed, 1);
    x.sync();
  }
}

}  // namespace atl::device
