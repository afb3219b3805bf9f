// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/environment.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <span>

#include "src/base/hash.h"
#include "src/base/log.h"
#include "src/bootstrap/launcher_channel.h"
#include "src/bootstrap/mpi_library.h"
#include "src/bootstrap/pmi_client.h"
#include "src/bootstrap/rendezvous_file.h"
#include "src/bootstrap/rendezvous_offer.h"

namespace atl {
namespace {

/// Ports that are derived from a job's number lie below the range that Linux hands out by itself.
constexpr std::uint64_t kFirstDerivedPort = 20000;
constexpr std::uint64_t kDerivedPorts = 12000;

constexpr Rank kMaxProcesses = 1 << 24;

/// A variable's value; empty when it is not set. Launchers set none of them to an empty text on purpose.
std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

Result<Rank> number(const char* name, Rank low, Rank high) {
  const std::string_view text = variable(name);
  Rank value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return makeError(ErrorCode::invalidArgument, "{} is '{}', which is not a whole number from {} to {}", name, text,
                     low, high);
  }
  return value;
}

/// The variables of one launcher.
struct Variables {
  LauncherKind kind;
  const char* launcher;
  const char* process;
  const char* processes;
  const char* local;
};

constexpr std::array kLaunchers = {
    Variables{LauncherKind::atollRun, "atoll run", "ATOLL_RANK", "ATOLL_RANKS", "ATOLL_LOCAL_RANK"},
    Variables{LauncherKind::openMpi, "Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
              "OMPI_COMM_WORLD_LOCAL_RANK"},
    Variables{LauncherKind::pmi, "PMI (MPICH, Intel MPI)", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID"},
    Variables{LauncherKind::slurm, "Slurm", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"},
    Variables{LauncherKind::torchrun, "torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"},
};

/// True when the launcher has left its mark at all.
bool speaks(const Variables& variables) {
  // Slurm's variables also stand in the shell of an allocation, where there is no step and thus no job of several
  // processes.
  if (variables.kind == LauncherKind::slurm)
    return !variable("SLURM_STEP_ID").empty() && !variable("SLURM_PROCID").empty();
  return !variable(variables.process).empty() || !variable(variables.processes).empty();
}

Result<LaunchEnvironment> read(Variables variables) {
  if (variables.kind == LauncherKind::slurm && variable(variables.processes).empty())
    variables.processes = "SLURM_NTASKS";
  for (const auto& [here, other] :
       {std::pair(variables.process, variables.processes), std::pair(variables.processes, variables.process)}) {
    if (variable(here).empty()) {
      return makeError(ErrorCode::invalidArgument, "{} is '{}' but {} is not set; {} sets both", other, variable(other),
                       here, variables.launcher);
    }
  }
  LaunchEnvironment launch;
  launch.kind = variables.kind;
  launch.launcher = variables.launcher;
  ATOLL_ASSIGN(launch.processes, number(variables.processes, 1, kMaxProcesses));
  ATOLL_ASSIGN(launch.process, number(variables.process, 0, kMaxProcesses));
  if (launch.process >= launch.processes) {
    return makeError(ErrorCode::invalidArgument, "{} is {}, which is not below {} ({})", variables.process,
                     launch.process, variables.processes, launch.processes);
  }
  if (!variable(variables.local).empty()) {
    ATOLL_ASSIGN(launch.localProcess, number(variables.local, 0, launch.processes - 1));
  }
  return launch;
}

/// Number of this rendezvous in this process, from 0: every process counts alike, because the call is collective.
unsigned nextSerial() {
  static std::atomic<unsigned> serial{0};
  return serial++;
}

// ---- one function for each way to a rendezvous
// -----------------------------------------------------------------------

Result<UniqueId> byGivenId() {
  static std::atomic_flag used;
  if (used.test_and_set()) {
    return makeError(ErrorCode::invalidArgument,
                     "ATOLL_ID holds one id and it has been used; make further communicators by splitting the first");
  }
  auto id = uniqueIdFromHex(variable("ATOLL_ID"));
  if (!id.ok()) return std::move(id).error().within("ATOLL_ID");
  return id;
}

Result<UniqueId> byFile(const LaunchEnvironment& launch, const Settings& settings, unsigned serial, Deadline deadline) {
  std::string path(variable("ATOLL_RENDEZVOUS_FILE"));
  if (serial > 0) path += fmt::format(".{}", serial);
  return rendezvousByFile(path, launch.process == 0, settings, deadline);
}

Result<UniqueId> byLauncherChannel(const LaunchEnvironment& launch, const Settings& settings, Deadline deadline) {
  ATOLL_ASSIGN(const int fd, number("ATOLL_LAUNCHER_FD", 0, 1 << 20));
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return makeError(ErrorCode::invalidArgument,
                     "ATOLL_LAUNCHER_FD is {} but that descriptor is closed: whatever started this program below "
                     "`atoll run` did not pass it on",
                     fd);
  }
  if (launch.process == 0) {
    auto offer = openRendezvous(settings);
    ATOLL_TRY(writeLine(fd, encodeOffer(offer), deadline));
    return offer;
  }
  auto line = readLine(fd, kMaxOfferBytes, deadline);
  if (!line.ok()) return std::move(line).error().within("waiting for process 0's rendezvous");
  return decodeOffer(*line);
}

Result<UniqueId> byMpi(MpiAbi abi, const LaunchEnvironment& launch, const Settings& settings, Deadline deadline) {
  ATOLL_ASSIGN(MpiLibrary* const mpi, MpiLibrary::find(abi));
  ATOLL_TRY(mpi->initialize());
  ATOLL_ASSIGN(const Rank world, mpi->processes());
  if (world != launch.processes) {
    return makeError(ErrorCode::mismatch,
                     "MPI's world has {} processes where {} says {}; is the program's MPI the launcher's?", world,
                     launch.launcher, launch.processes);
  }
  std::array<char, kMaxOfferBytes> text{};
  if (launch.process == 0) {
    const auto offer = openRendezvous(settings);
    const std::string encoded = encodeOffer(offer);
    std::ranges::copy(encoded, text.begin());
  }
  ATOLL_TRY(mpi->broadcast(std::as_writable_bytes(std::span(text)), deadline));
  return decodeOffer(std::string_view(text.data(), ::strnlen(text.data(), text.size())));
}

Result<UniqueId> byPmi(const LaunchEnvironment& launch, const Settings& settings, unsigned serial, Deadline deadline) {
  std::string offer;
  if (launch.process == 0) offer = encodeOffer(openRendezvous(settings));
  ATOLL_ASSIGN(const std::string text, exchangeByPmi(launch.process, fmt::format("atoll-{}", serial), offer, deadline));
  return decodeOffer(text);
}

/// An address that every process can derive. The secret is only as secret as the job's variables are: it keeps out
/// accidents (another job's processes, a port scanner), not somebody who can read this job's environment.
Result<UniqueId> byAddress(const LaunchEnvironment& launch, std::string_view host, std::uint64_t port,
                           std::string_view secretText, const Settings& settings, unsigned serial) {
  const std::string bracketed =
      host.find(':') == std::string_view::npos ? std::string(host) : fmt::format("[{}]", host);
  return rendezvousAt(fmt::format("{}:{}", bracketed, port + serial), fmt::format("{} #{}", secretText, serial),
                      launch.process == 0, settings);
}

Result<UniqueId> bySlurm(const LaunchEnvironment& launch, const Settings& settings, unsigned serial) {
  const std::string_view jobId = variable("SLURM_JOB_ID");
  const std::string_view stepId = variable("SLURM_STEP_ID");
  std::string_view nodes = variable("SLURM_STEP_NODELIST");
  if (nodes.empty()) nodes = variable("SLURM_JOB_NODELIST");
  if (nodes.empty()) nodes = variable("SLURM_NODELIST");
  const std::string job = fmt::format("slurm {} {} {} {}", variable("SLURM_CLUSTER_NAME"), jobId, stepId, nodes);
  std::string host(variable("MASTER_ADDR"));
  if (host.empty()) host = firstHostOf(nodes);
  if (host.empty()) {
    return makeError(ErrorCode::invalidArgument, "SLURM_STEP_NODELIST is '{}', which names no host; set MASTER_ADDR",
                     nodes);
  }
  std::uint64_t port = kFirstDerivedPort + hashText(job) % kDerivedPorts;
  if (!variable("MASTER_PORT").empty()) {
    ATOLL_ASSIGN(port, number("MASTER_PORT", 1, 65535));
  }
  return byAddress(launch, host, port, fmt::format("{} uid {}", job, ::getuid()), settings, serial);
}

Result<UniqueId> byTorchrun(const LaunchEnvironment& launch, const Settings& settings, unsigned serial) {
  const std::string_view host = variable("MASTER_ADDR");
  if (host.empty()) {
    return makeError(ErrorCode::invalidArgument, "RANK is '{}' but MASTER_ADDR is not set; torchrun sets both",
                     launch.process);
  }
  ATOLL_ASSIGN(std::uint64_t port, number("MASTER_PORT", 1, 65535));
  const std::string_view run = variable("TORCHELASTIC_RUN_ID");
  const std::string job = fmt::format("torchrun {} {} {} {} restart {}", run, host, port, launch.processes,
                                      variable("TORCHELASTIC_RESTART_COUNT"));
  // torchrun's own store listens at MASTER_PORT; where only the variables are set, the port is free for us.
  if (!run.empty()) port = kFirstDerivedPort + hashText(job) % kDerivedPorts;
  return byAddress(launch, host, port, job, settings, serial);
}

/// Slurm's srun also sets PMI's variables; then its own say the same.
bool slurmAgrees(const LaunchEnvironment& launch) {
  const auto slurm = std::ranges::find(kLaunchers, LauncherKind::slurm, &Variables::kind);
  if (!speaks(*slurm)) return false;
  const auto other = read(*slurm);
  return other.ok() && other->process == launch.process && other->processes == launch.processes;
}

Result<UniqueId> byProcessManager(const LaunchEnvironment& launch, const Settings& settings, unsigned serial,
                                  Deadline deadline) {
  // A program that has MPI in it owns the connection to the process manager through MPI.
  if (!MpiLibrary::present() && !variable("PMI_FD").empty()) {
    auto id = byPmi(launch, settings, serial, deadline);
    if (id.ok() || !slurmAgrees(launch)) return id;
    log::line(log::Subject::bootstrap, launch.process, "no rendezvous by PMI ({}); trying Slurm's variables",
              id.error().text);
    return bySlurm(launch, settings, serial);
  }
  if (!MpiLibrary::present() && slurmAgrees(launch)) return bySlurm(launch, settings, serial);
  return byMpi(MpiAbi::mpich, launch, settings, deadline);
}

}  // namespace

Result<std::optional<LaunchEnvironment>> detectLaunch() {
  const auto found = std::ranges::find_if(kLaunchers, speaks);
  if (found == kLaunchers.end()) {
    for (const char* name : {"ATOLL_ID", "ATOLL_RENDEZVOUS_FILE"}) {
      if (variable(name).empty()) continue;
      return makeError(ErrorCode::invalidArgument,
                       "{} is set but nothing says which process this is; set ATOLL_RANK and ATOLL_RANKS", name);
    }
    return std::optional<LaunchEnvironment>();
  }
  ATOLL_ASSIGN(auto launch, read(*found));
  return std::optional(std::move(launch));
}

Result<UniqueId> rendezvousFromEnvironment(const LaunchEnvironment& launch, const Settings& settings,
                                           Deadline deadline) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  const unsigned serial = nextSerial();
  if (launch.processes == 1) return openRendezvous(settings);
  if (!variable("ATOLL_ID").empty()) return byGivenId();
  if (!variable("ATOLL_RENDEZVOUS_FILE").empty()) return byFile(launch, settings, serial, deadline);
  switch (launch.kind) {
    case LauncherKind::atollRun:
      if (variable("ATOLL_LAUNCHER_FD").empty()) {
        return makeError(ErrorCode::invalidArgument,
                         "ATOLL_RANKS is '{}' but none of ATOLL_LAUNCHER_FD (`atoll run` sets it), ATOLL_ID and "
                         "ATOLL_RENDEZVOUS_FILE is set",
                         launch.processes);
      }
      return byLauncherChannel(launch, settings, deadline);
    case LauncherKind::openMpi: return byMpi(MpiAbi::openMpi, launch, settings, deadline);
    case LauncherKind::pmi: return byProcessManager(launch, settings, serial, deadline);
    case LauncherKind::slurm: return bySlurm(launch, settings, serial);
    case LauncherKind::torchrun: return byTorchrun(launch, settings, serial);
  }
  return makeError(ErrorCode::internalError, "launcher kind {} has no rendezvous", static_cast<int>(launch.kind));
}

std::string firstHostOf(std::string_view nodeList) {
  const auto bracket = nodeList.find('[');
  const auto comma = nodeList.find(',');
  if (bracket == std::string_view::npos || comma < bracket) return std::string(nodeList.substr(0, comma));
  const auto stop = nodeList.find_first_of(",-]", bracket + 1);
  if (stop == std::string_view::npos) return {};
  std::string host(nodeList.substr(0, bracket));
  host += nodeList.substr(bracket + 1, stop - bracket - 1);
  const auto close = nodeList.find(']', bracket);
  if (close == std::string_view::npos) return {};
  const auto rest = nodeList.substr(close + 1);
  host += rest.substr(0, rest.find(','));  // a name may go on after its number: "n[1-4]-ib"
  return host.find('[') == std::string::npos ? host : std::string();
}

}  // namespace atl
