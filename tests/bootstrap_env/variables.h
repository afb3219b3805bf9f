// SPDX-License-Identifier: Apache-2.0
// The launch variables of a test: exactly those given, none of the launcher that runs the test; undone at the end.
#pragma once

#include <array>
#include <cstdlib>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace atl::test {

class Variables {
 public:
  Variables(std::initializer_list<std::pair<const char*, std::string>> given) {
    for (const char* name : kKnown) replace(name, nullptr);
    for (const auto& [name, value] : given) replace(name, value.c_str());
  }
  ~Variables() {
    for (const auto& [name, value] : before_) put(name.c_str(), value ? value->c_str() : nullptr);
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  static constexpr std::array kKnown = {"ATOLL_RANK",
                                        "ATOLL_RANKS",
                                        "ATOLL_LOCAL_RANK",
                                        "ATOLL_LAUNCHER_FD",
                                        "ATOLL_ID",
                                        "ATOLL_RENDEZVOUS_FILE",
                                        "OMPI_COMM_WORLD_RANK",
                                        "OMPI_COMM_WORLD_SIZE",
                                        "OMPI_COMM_WORLD_LOCAL_RANK",
                                        "PMI_RANK",
                                        "PMI_SIZE",
                                        "PMI_FD",
                                        "MPI_LOCALRANKID",
                                        "SLURM_PROCID",
                                        "SLURM_STEP_NUM_TASKS",
                                        "SLURM_NTASKS",
                                        "SLURM_STEP_ID",
                                        "SLURM_LOCALID",
                                        "SLURM_JOB_ID",
                                        "SLURM_NODELIST",
                                        "SLURM_STEP_NODELIST",
                                        "SLURM_JOB_NODELIST",
                                        "RANK",
                                        "WORLD_SIZE",
                                        "LOCAL_RANK",
                                        "MASTER_ADDR",
                                        "MASTER_PORT",
                                        "TORCHELASTIC_RUN_ID"};

  static void put(const char* name, const char* value) {
    if (value == nullptr) {
      ::unsetenv(name);
    } else {
      ::setenv(name, value, 1);
    }
  }

  void replace(const char* name, const char* value) {
    const char* const old = std::getenv(name);
    before_.try_emplace(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    put(name, value);
  }

  std::map<std::string, std::optional<std::string>> before_;
};

}  // namespace atl::test
