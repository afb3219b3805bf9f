// SPDX-License-Identifier: Apache-2.0
// Ranks that are processes reach each other's devices by CUDA IPC.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

namespace atl {
namespace {

TEST(CudaProcesses, SumsAndGathersAreRight) {
  constexpr int kRanks = 3;
  const std::string file =
      std::filesystem::temp_directory_path() / ("atoll-cuda-processes-" + std::to_string(::getpid()));
  std::filesystem::remove(file);
  std::vector<pid_t> workers;
  for (int rank = 0; rank < kRanks; ++rank) {
    std::string arguments[] = {CUDA_WORKER, std::to_string(rank), std::to_string(kRanks), file};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), arguments[3].data(), nullptr};
    pid_t worker = 0;
    ASSERT_EQ(::posix_spawn(&worker, CUDA_WORKER, nullptr, nullptr, argv, environ), 0);
    workers.push_back(worker);
  }
  for (const pid_t worker : workers) {
    int status = -1;
    ASSERT_EQ(::waitpid(worker, &status, 0), worker);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace atl
