// SPDX-License-Identifier: Apache-2.0
// A repeated call makes no system call: the kernel itself is asked to see to it.
#include <gtest/gtest.h>

#include <thread>

#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

TEST(HotPath, RepeatedCallsBetweenProcesses_MakeNoSystemCalls) {
#ifdef ATOLL_SANITIZED
  GTEST_SKIP() << "sanitizers make system calls of their own";
#endif
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "two ranks on one core have to give it up to each other";
  // Polls without end: with other programs on the machine a wait may be long, and a long wait gives up its core.
  const auto result = underAtoll(2, {QUIET_WORKER}, {"ATOLL_TRANSPORT=shm", "ATOLL_SPIN=1000000"});
  if (result.code == 77) GTEST_SKIP() << result.errors;
  expectAllOk(result, 2);
}

}  // namespace
}  // namespace atl::test
