// SPDX-License-Identifier: Apache-2.0
#include "tests/processes/worker_job.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace atl::test {
namespace {

/// Whether a program can be started by its name.
[[maybe_unused]] bool installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) ==
         0;  // NOLINT(cert-env33-c): our own words
}

}  // namespace

std::string cannotUse(const std::string& launcher, [[maybe_unused]] const std::string& package) {
#if defined(__SANITIZE_THREAD__)
  return launcher + "'s library is not built for ThreadSanitizer, which would report on it and not on us";
#else
  return installed(launcher) ? std::string() : launcher + " is not installed (package " + package + ")";
#endif
}

std::string cannotUseUcx(const std::string& worker) {
  const auto result = runProgram({worker}, {"ATOLL_TRANSPORT=ucx"});
  const bool none = result.errors.find("none of the transports 'ucx'") != std::string::npos;
  return none ? result.errors : std::string();
}

Environment rdmaOverFake() {
#ifdef FAKEVERBS_FOLDER
  static int jobs = 0;
  return {"ATOLL_TRANSPORT=rdma", "LD_LIBRARY_PATH=" FAKEVERBS_FOLDER,
          fmt::format("FAKEVERBS_NET=job-{}-{}", ::getpid(), ++jobs)};
#else
  return {};
#endif
}

Environment ncclNetOverAtoll([[maybe_unused]] const std::string& transport) {
#ifdef ATOLL_NET_PLUGIN
  Environment environment;
  if (transport == "rdma") {
    environment = rdmaOverFake();
    if (environment.empty()) return {};
    std::erase(environment, "ATOLL_TRANSPORT=rdma");
  }
  environment.insert(environment.end(), {"ATOLL_TRANSPORT=ncclnet", "ATOLL_NCCL_NET_PLUGIN=" ATOLL_NET_PLUGIN,
                                         "ATOLL_NCCL_NET_TRANSPORT=" + transport});
  return environment;
#else
  return {};
#endif
}

// MPI libraries leak by design, and what they leak is not ours to report.
const Environment kUnderMpi = {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                               "ASAN_OPTIONS=detect_leaks=0"};

ProgramResult underAtoll(int ranks, const std::vector<std::string>& worker, const Environment& environment) {
  std::vector<std::string> command{ATOLL_PROGRAM, "run", "-n", std::to_string(ranks), "--"};
  command.insert(command.end(), worker.begin(), worker.end());
  return runProgram(command, environment);
}

void expectAllOk(const ProgramResult& result, int ranks) {
  EXPECT_EQ(result.code, 0) << result.output << result.errors;
  for (int rank = 0; rank < ranks; ++rank) {
    EXPECT_THAT(result.output,
                testing::HasSubstr("rank " + std::to_string(rank) + " of " + std::to_string(ranks) + " ok"))
        << result.errors;
  }
}

}  // namespace atl::test
