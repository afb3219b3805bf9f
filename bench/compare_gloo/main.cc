// SPDX-License-Identifier: Apache-2.0
// gloo_collective_perf COLLECTIVE [options of the _perf programs]: gloo's collective over TCP, measured and printed as
// Atoll's are.
#include "bench/compare_gloo/gloo_call.h"
#include "bench/compare_gloo/gloo_peer.h"
#include "bench/compare_peer/peer_program.h"

int main(int argc, char** argv) {
  return atl::perf::peerMain(argc, argv, atl::perf::glooCollectives(), atl::perf::joinGloo);
}
