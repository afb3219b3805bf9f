// SPDX-License-Identifier: Apache-2.0
// What the host tells the runs of a communicator while they go on. It lies in memory of the host's that devices read.
#pragma once

#include <cstdint>

namespace atl::device {

struct Signals {
  std::uint64_t abort = 0;     ///< not 0: runs end
  std::uint64_t patience = 0;  ///< nanoseconds that a wait may last; 0: any
};

}  // namespace atl::device
