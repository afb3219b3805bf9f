// SPDX-License-Identifier: Apache-2.0
// One rank of a job that does not end: endless_worker COUNT [VICTIM]. All-reduces over and over until one fails. Prints
// "pid P" once it runs, and then, with the time since the epoch in microseconds, "failed at T: TEXT". Where it is told
// who will die, it goes on without that rank, and prints "sum S of N ranks".
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <vector>

#include "tests/processes/check.h"

namespace {

/// The ranks that are left sum ones.
void goOnWithout(int victim, atollComm_t comm, int rank) {
  using atl::test::require;
  atollComm_t smaller = nullptr;
  require(atollCommShrink(comm, &victim, 1, &smaller, nullptr, ATOLL_SHRINK_ABORT), "shrink", rank);
  int ranks = 0;
  require(atollCommCount(smaller, &ranks), "count", rank, smaller);
  int sum = 1;
  require(atollAllReduce(&sum, &sum, 1, atollInt, atollSum, smaller, nullptr), "sum", rank, smaller);
  std::printf("sum %d of %d ranks\n", sum, ranks);
  std::fflush(stdout);
  require(atollCommDestroy(smaller), "destroy", rank);
}

}  // namespace

int main(int argc, char** argv) {
  using atl::test::require;
  const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  atollComm_t comm = nullptr;
  int rank = 0;
  require(atollCommInitEnv(&comm, nullptr), "init", -1);
  require(atollCommUserRank(comm, &rank), "rank", -1, comm);
  std::vector<float> data(count, 1.0F);
  require(atollAllReduce(data.data(), data.data(), count, atollFloat, atollMax, comm, nullptr), "first", rank, comm);
  std::printf("pid %d\n", static_cast<int>(::getpid()));
  std::fflush(stdout);
  atollResult_t result = atollSuccess;
  while (result == atollSuccess) {
    result = atollAllReduce(data.data(), data.data(), count, atollFloat, atollMax, comm, nullptr);
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::printf("failed at %lld: %s\n",
              static_cast<long long>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()),
              atollGetLastError(comm));
  std::fflush(stdout);
  if (argc > 2) goOnWithout(std::atoi(argv[2]), comm, rank);
  atollCommAbort(comm);
  return 3;
}
