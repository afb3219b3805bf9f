// SPDX-License-Identifier: Apache-2.0
// Containers give /dev/shm little room, or none is left of it: that does no harm to jobs over shared memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/processes/worker_job.h"

namespace atl::test {
namespace {

/// Runs a script with a /dev/shm of 64 KiB, which only the script and its children see.
ProgramResult withTinyDevShm(const std::string& script) {
  std::vector<std::string> command{"unshare", "--mount"};
  if (::geteuid() != 0) command.insert(command.end(), {"--user", "--map-root-user"});
  command.insert(command.end(), {"sh", "-ec", "mount -t tmpfs -o size=64k atoll-test /dev/shm\n" + script});
  return runProgram(command, {"ATOLL_TRANSPORT=shm"});
}

class DevShm : public testing::Test {
 protected:
  void SetUp() override {
    const ProgramResult tried = withTinyDevShm("");
    if (tried.code != 0) GTEST_SKIP() << "no /dev/shm of our own can be mounted here: " << tried.errors;
  }
};

/// Messages of 8 MB and more, over a hundred times the room that there is.
const std::string kJob = ATOLL_PROGRAM " run -n 2 -- " COLLECTIVES_WORKER " 2000003\n";
/// Prints a line for each file in it.
const std::string kList = "find /dev/shm -type f\n";

TEST_F(DevShm, TooSmallForAnyMessage_JobSucceedsAndLeavesNothing) {
  const auto result = withTinyDevShm(kJob + kList);
  expectAllOk(result, 2);
  EXPECT_THAT(result.output, testing::Not(testing::HasSubstr("/dev/shm/")));
}

TEST_F(DevShm, Full_JobSucceedsAndLeavesNothing) {
  const std::string fill =
      "if head -c 128K /dev/zero 2>/dev/null >/dev/shm/filler; then echo /dev/shm takes more than it has; exit 3; fi\n";
  const auto result = withTinyDevShm(fill + kJob + "rm /dev/shm/filler\n" + kList);
  expectAllOk(result, 2);
  EXPECT_THAT(result.output, testing::Not(testing::HasSubstr("/dev/shm/")));
}

}  // namespace
}  // namespace atl::test
