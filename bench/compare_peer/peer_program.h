// SPDX-License-Identifier: Apache-2.0
// PROGRAM COLLECTIVE [options of the _perf programs]: a peer's collective, measured and printed as Atoll's are.
#pragma once

#include <memory>

#include "bench/compare_peer/peer.h"

namespace atl::perf {

/// Joins the job that the launcher started this process for.
using JoinPeer = std::function<Result<std::unique_ptr<Peer>>(int* argc, char*** argv)>;

/// The body of main(). `collectives` are all that the peer has.
int peerMain(int argc, char** argv, std::span<const PeerCollective> collectives, const JoinPeer& join);

}  // namespace atl::perf
