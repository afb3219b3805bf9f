// SPDX-License-Identifier: Apache-2.0
// mpi_collective_perf COLLECTIVE [options of the _perf programs]: MPI's collective, measured and printed as Atoll's
// are.
#include "bench/compare_mpi/mpi_peer.h"
#include "bench/compare_peer/peer_program.h"

int main(int argc, char** argv) {
  return atl::perf::peerMain(argc, argv, atl::perf::mpiCollectives(), atl::perf::joinMpi);
}
