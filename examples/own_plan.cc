// SPDX-License-Identifier: Apache-2.0
// An algorithm of one's own: a plan for three ranks in JSON, written by hand or by a program, verified by Atoll before
// it runs. The one beside this file is a chain: the sum is gathered from rank 2 down to rank 0 and sent back up.
//
//   atoll run -n 3 -- ./own_plan own_plan.json
#include <atoll/atoll.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

void require(atollResult_t result, atollComm_t comm) {
  if (result == atollSuccess) return;
  std::fprintf(stderr, "%s\n", atollGetLastError(comm));
  std::exit(EXIT_FAILURE);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: own_plan PLAN.json\n");
    return EXIT_FAILURE;
  }
  atollComm_t comm = nullptr;
  int rank = 0;
  int ranks = 0;
  require(atollCommInitEnv(&comm, nullptr), nullptr);
  require(atollCommUserRank(comm, &rank), comm);
  require(atollCommCount(comm, &ranks), comm);

  // From here on, every all-reduce of this communicator runs the plan of the file.
  require(atollCommLoadPlan(comm, argv[1]), comm);
  std::vector<float> data(1001, static_cast<float>(rank + 1));
  require(atollAllReduce(data.data(), data.data(), data.size(), atollFloat, atollSum, comm, nullptr), comm);

  const auto wanted = static_cast<float>(ranks * (ranks + 1) / 2);
  for (const float value : data) {
    if (value != wanted) {
      std::fprintf(stderr, "rank %d: %g instead of %g\n", rank, value, wanted);
      return EXIT_FAILURE;
    }
  }
  std::printf("rank %d: the plan gave the right sum, %g\n", rank, wanted);
  require(atollCommDestroy(comm), nullptr);
  return EXIT_SUCCESS;
}
