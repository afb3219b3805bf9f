// SPDX-License-Identifier: Apache-2.0
// Ranks that are processes reach each other's devices by CUDA IPC, or through their hosts.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "transports/transport.h"

namespace atl {
namespace {

constexpr int kRanks = 3;

/// Variables that a rank has besides the test's own: "NAME=value".
using Environment = std::function<std::vector<std::string>(int rank)>;

std::vector<std::string> nothing(int /*rank*/) {
  return {};
}

/// Runs a job; the wait status of each rank. `victim`: the rank that is to kill itself, or none.
std::vector<int> run(const Environment& environment, const std::string& victim = {}) {
  const std::string file =
      std::filesystem::temp_directory_path() / ("atoll-cuda-processes-" + std::to_string(::getpid()));
  std::filesystem::remove(file);
  std::vector<pid_t> workers;
  for (int rank = 0; rank < kRanks; ++rank) {
    std::string arguments[] = {CUDA_WORKER, std::to_string(rank), std::to_string(kRanks), file, victim};
    char* argv[] = {arguments[0].data(),
                    arguments[1].data(),
                    arguments[2].data(),
                    arguments[3].data(),
                    victim.empty() ? nullptr : arguments[4].data(),
                    nullptr};
    std::vector<std::string> more = environment(rank);
    std::vector<char*> variables;
    for (std::string& variable : more) variables.push_back(variable.data());
    for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
    variables.push_back(nullptr);
    pid_t worker = 0;
    EXPECT_EQ(::posix_spawn(&worker, CUDA_WORKER, nullptr, nullptr, argv, variables.data()), 0);
    workers.push_back(worker);
  }
  std::vector<int> statuses;
  for (const pid_t worker : workers) {
    statuses.push_back(-1);
    EXPECT_EQ(::waitpid(worker, &statuses.back(), 0), worker);
  }
  std::filesystem::remove(file);
  return statuses;
}

void expectRight(const Environment& environment) {
  for (const int status : run(environment)) {
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}

std::vector<std::string> eachOnAHostOfItsOwn(int rank) {
  return {"ATOLL_HOSTID=host" + std::to_string(rank)};
}

TEST(CudaProcesses, OnOneHost_GiveTheRightData) {
  expectRight(nothing);
}

TEST(CudaProcesses, OnSeveralHosts_GiveTheRightData) {
  expectRight(eachOnAHostOfItsOwn);
}

TEST(CudaProcesses, TwoOnOneHostAndOneOnAnother_GiveTheRightData) {
  expectRight([](int rank) { return std::vector<std::string>{"ATOLL_HOSTID=host" + std::to_string(rank / 2)}; });
}

TEST(CudaProcesses, ByIslandsOfUnequalSize_GiveTheRightData) {
  for (const std::string algorithm : {"hierarchical", "hierarchical-leader"}) {
    expectRight([&](int rank) {
      return std::vector<std::string>{"ATOLL_HOSTID=host" + std::to_string(rank / 2), "ATOLL_ALGO=" + algorithm};
    });
  }
}

/// As on hosts of their own, which this joins and nothing else.
void expectRightOver(const std::string& transport, std::vector<std::string> environment) {
  environment.push_back("ATOLL_TRANSPORT=" + transport);
  expectRight([&](int rank) {
    auto own = environment;
    own.push_back("ATOLL_HOSTID=host" + std::to_string(rank));
    return own;
  });
}

TEST(CudaProcesses, OverUcx_GiveTheRightData) {
  if (const auto ucx = transportsAtHand("ucx"); !ucx.ok()) GTEST_SKIP() << ucx.error().text;
  // UCX's hooks for mmap() would hide from ThreadSanitizer what is mapped anew.
  expectRightOver("ucx", {"UCX_MEM_EVENTS=no"});
}

#ifdef FAKEVERBS_FOLDER
TEST(CudaProcesses, OverRdma_GiveTheRightData) {
  expectRightOver("rdma", {"LD_LIBRARY_PATH=" FAKEVERBS_FOLDER, "FAKEVERBS_NET=cuda-" + std::to_string(::getpid())});
}
#endif

#ifdef ATOLL_NET_PLUGIN
TEST(CudaProcesses, OverANetworkPluginOfNccl_GiveTheRightData) {
  expectRightOver("ncclnet", {"ATOLL_NCCL_NET_PLUGIN=" ATOLL_NET_PLUGIN, "ATOLL_NCCL_NET_TRANSPORT=tcp"});
}
#endif

TEST(CudaProcesses, WithoutIpc_GiveTheRightData) {
  expectRight([](int) { return std::vector<std::string>{"FAKECUDA_FAIL=cudaIpcGetMemHandle:1:801"}; });
}

// Only one of them knows.
TEST(CudaProcesses, RankThatCannotOpenAPeersMemory_GiveTheRightData) {
  expectRight([](int rank) {
    return rank == 1 ? std::vector<std::string>{"FAKECUDA_FAIL=cudaIpcOpenMemHandle:1:101"}
                     : std::vector<std::string>{};
  });
}

TEST(CudaProcesses, PeerAccessForbidden_GiveTheRightData) {
  expectRight([](int) { return std::vector<std::string>{"ATOLL_CUDA_P2P=off"}; });
}

TEST(CudaProcesses, KilledRankOnAnotherHost_IsNamedByTheOthers) {
  const auto statuses = run(eachOnAHostOfItsOwn, "1");
  EXPECT_TRUE(WIFSIGNALED(statuses[1]) && WTERMSIG(statuses[1]) == SIGKILL);
  for (const int rank : {0, 2}) {
    const int status = statuses[static_cast<std::size_t>(rank)];
    EXPECT_TRUE(WIFEXITED(status)) << "rank " << rank;
    EXPECT_EQ(WEXITSTATUS(status), 0) << "rank " << rank;
  }
}

}  // namespace
}  // namespace atl
