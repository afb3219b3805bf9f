// SPDX-License-Identifier: Apache-2.0
// Communication beside computation: two all-reduces run on a host stream while the rank's own thread works on something
// else.
//
//   atoll run -n 2 -- ./streams
//   ./streams                      alone, a communicator of one rank
#include <atoll/atoll.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

void require(atollResult_t result, atollComm_t comm) {
  if (result == atollSuccess) return;
  std::fprintf(stderr, "%s\n", atollGetLastError(comm));
  std::exit(EXIT_FAILURE);
}

/// A communicator of the launcher's processes, or of this one alone when there is no launcher.
atollComm_t join() {
  atollComm_t comm = nullptr;
  const atollResult_t result = atollCommInitEnv(&comm, nullptr);
  if (result == atollInvalidUsage) {  // nobody launched us
    require(atollCommInitAll(&comm, 1), nullptr);
  } else {
    require(result, nullptr);
  }
  return comm;
}

}  // namespace

int main() {
  atollComm_t comm = join();
  int rank = 0;
  int ranks = 0;
  require(atollCommUserRank(comm, &rank), comm);
  require(atollCommCount(comm, &ranks), comm);

  atollStream_t stream = nullptr;
  require(atollStreamCreate(&stream), nullptr);
  std::vector<float> first(1 << 20, 1.0F);
  std::vector<float> second(1 << 20, static_cast<float>(rank));
  // Both return at once; from here on the buffers are Atoll's until the stream is synchronised.
  require(atollAllReduce(first.data(), first.data(), first.size(), atollFloat, atollSum, comm, stream), comm);
  require(atollAllReduce(second.data(), second.data(), second.size(), atollFloat, atollMax, comm, stream), comm);

  double meanwhile = 0;
  for (int i = 1; i < 100000; ++i) meanwhile += std::sqrt(i);

  require(atollStreamSynchronize(stream), comm);
  std::printf("rank %d of %d: sum %g, maximum %g, and meanwhile computed %.0f\n", rank, ranks, first.back(),
              second.back(), meanwhile);
  const bool right = first.back() == static_cast<float>(ranks) && second.back() == static_cast<float>(ranks - 1);

  require(atollStreamDestroy(stream), nullptr);
  require(atollCommDestroy(comm), nullptr);
  return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
