// SPDX-License-Identifier: Apache-2.0
// The order of the runs of one rank in a launch, which are calls in their order: a run begins when every block of the
// rank has done with the one before it, so that it may read what that wrote. What blocks count is kept for the launches
// to come.
#pragma once

#include <cstdint>

#include "src/exec/cuda/device/program.h"
#include "src/exec/cuda/device/space.h"

namespace atl::device {

/// Polls between two looks at whether the run is to end.
inline constexpr std::uint32_t kPollsBetweenLooks = 256;

/// Which call a run is, as a block keeps it.
struct Turn {
  std::uint64_t call;   ///< among the rank's calls; from 0
  std::int32_t blocks;  ///< of the rank's in the launch, each of which ends every run
  bool follows;         ///< another run of the launch
};

/// By the leader of a block. False if the runs of the launch are to end first. How long it may take only the lanes that
/// walk can know.
template <Space X>
ATOLL_HOST_DEVICE bool awaitTurn(X& x, const Control& control, const Turn& turn) {
  if (!turn.follows) return true;
  for (std::uint32_t polls = 1; x.acquire(&control.call) != turn.call; ++polls) {
    if (polls % kPollsBetweenLooks == 0) {
      x.beginWait();
      if (x.look(&control.failing) != 0 || x.interrupted()) return false;
    }
    x.pause();
  }
  return true;
}

/// By the leader of a block that has done with the run. The last one makes the next call the present one.
template <Space X>
ATOLL_HOST_DEVICE void endTurn(X& x, Control& control, const Turn& turn) {
  if (x.add(&control.finished, 1) + 1 != static_cast<std::uint64_t>(turn.blocks)) return;
  control.finished = 0;
  x.release(&control.call, turn.call + 1);
}

}  // namespace atl::device
