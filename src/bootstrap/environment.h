// SPDX-License-Identifier: Apache-2.0
// Who started this process: the place in a job that a launcher gives through the environment, and the rendezvous that
// follows from it. docs/launching.md is the user's page on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/settings.h"
#include "src/base/types.h"
#include "src/bootstrap/session.h"

namespace atl {

/// Launchers that are known by the variables that they set, in the order in which they are looked for.
enum class LauncherKind : std::uint8_t {
  atollRun,  ///< ATOLL_RANK, ATOLL_RANKS
  openMpi,   ///< OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE
  pmi,       ///< PMI_RANK, PMI_SIZE: MPICH, Intel MPI, MVAPICH
  slurm,     ///< SLURM_PROCID, SLURM_STEP_NUM_TASKS or SLURM_NTASKS, inside a step (SLURM_STEP_ID)
  torchrun,  ///< RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT
};

/// This process's place in its job.
struct LaunchEnvironment {
  Rank process = 0;
  Rank processes = 1;
  Rank localProcess =
      kNoRank;           ///< place among the job's processes of this host; kNoRank where the launcher does not say
  std::string launcher;  ///< for people: "atoll run", "Open MPI", …
  LauncherKind kind = LauncherKind::atollRun;
};

/// The launcher's word, or nothing when no launcher is known by the environment. Variables that contradict each other,
/// are half set or hold nonsense are errors that name variable and value.
Result<std::optional<LaunchEnvironment>> detectLaunch();

/// An id that all processes of the job hold afterwards: process 0 opens a rendezvous and the others learn of it the way
/// their launcher allows (see docs/launching.md). Collective over the processes of the job, from one thread of each at
/// a time; every call gives a new id, in the same order everywhere, except with ATOLL_ID, which holds only one.
Result<UniqueId> rendezvousFromEnvironment(const LaunchEnvironment& launch, const Settings& settings,
                                           Deadline deadline);

/// The first host of a Slurm node list: "n[07-09,12],m3" gives n07. Empty when the text is no such list.
std::string firstHostOf(std::string_view nodeList);

}  // namespace atl
