// SPDX-License-Identifier: Apache-2.0
// A block of threads walks one lane of a program.
#pragma once

#include <cstdint>

#include "src/exec/cuda/device/fold.h"
#include "src/exec/cuda/device/leader.h"

namespace atl::device {

/// False if the run is to end before the job is done.
template <Space X, Reduction R>
ATOLL_HOST_DEVICE bool perform(X& x, const Job& job, const R& reduction) {
  switch (job.kind) {
    case Job::Kind::stop: return true;
    case Job::Kind::copy: copyBytes(x, job.to, job.from, job.bytes); return true;
    case Job::Kind::sendPackets: sendPackets(x, job); return true;
    case Job::Kind::fold: return fold(x, job, reduction);
  }
  return true;
}

/// All threads of the block call it, once for each call of the collective. Lanes of a rank, and ranks, run at the same
/// time, or wait for ever.
template <Space X, Reduction R>
ATOLL_HOST_DEVICE void walk(X& x, const Run& run, std::int32_t lane, const R& reduction) {
  const bool leads = x.thread() == 0;
  Shared& shared = x.shared();
  Leader<X> leader(x, run, lane);
  if (leads) {
    shared.failed = 0;
    leader.begin();
  }
  for (;;) {
    if (leads) {
      if (x.look(&shared.failed) == 0) {
        shared.job = leader.next();
      } else {
        leader.giveUp();
        shared.job.kind = Job::Kind::stop;
      }
    }
    x.sync();
    const Job job = shared.job;
    if (job.kind == Job::Kind::stop) return;
    if (!perform(x, job, reduction)) x.put(&shared.failed, 1);
    x.sync();
  }
}

}  // namespace atl::device
