// SPDX-License-Identifier: Apache-2.0
// MPI as a peer, whichever implementation this is built with.
#pragma once

#include <memory>

#include "bench/compare_peer/peer.h"

namespace atl::perf {

/// All that MPI has of what Atoll's programs measure.
std::span<const PeerCollective> mpiCollectives();

/// Starts MPI; the returned object ends it.
Result<std::unique_ptr<Peer>> joinMpi(int* argc, char*** argv);

}  // namespace atl::perf
