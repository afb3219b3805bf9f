// SPDX-License-Identifier: Apache-2.0
// One rank of a job that does not end: all-reduces over and over until one fails. Prints "pid P rank R" and "turning R"
// once it runs, and then, with the time since the epoch in microseconds, "failed at T: TEXT".
#include <unistd.h>

#include <chrono>
#include <vector>

#include "tests/processes/check.h"

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
  atollCommAbort(comm);
  return 3;
}
