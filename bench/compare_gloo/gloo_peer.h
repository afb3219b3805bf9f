// SPDX-License-Identifier: Apache-2.0
// gloo as a peer, over TCP on the loopback interface.
#pragma once

#include <memory>

#include "bench/compare_peer/peer.h"

namespace atl::perf {

/// Names the folder, empty and the same for all ranks, where they leave their addresses for each other.
inline constexpr const char* kGlooStoreVariable = "GLOO_PERF_STORE";
/// Names the network interface that the ranks talk over; the loopback interface where it is not set.
inline constexpr const char* kGlooInterfaceVariable = "GLOO_PERF_INTERFACE";

/// Joins as the rank that mpirun's environment says.
Result<std::unique_ptr<Peer>> joinGloo(int* argc, char*** argv);

}  // namespace atl::perf
