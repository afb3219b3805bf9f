// SPDX-License-Identifier: Apache-2.0
// Unique ids and the ways into a communicator.
#include <algorithm>
#include <cstring>
#include <vector>

#include "src/api/arguments.h"
#include "src/api/config.h"
#include "src/api/group.h"
#include "src/api/plan_file.h"
#include "src/api/report.h"
#include "src/api/start.h"
#include "src/base/log.h"
#include "src/bootstrap/environment.h"
#include "src/bootstrap/rendezvous_file.h"
#include "src/bootstrap/session.h"

namespace atl::api {
namespace {

using Made = Result<std::unique_ptr<Communicator>>;

UniqueId uniqueIdOf(const atollUniqueId& id) {
  UniqueId result;
  static_assert(sizeof result.bytes == sizeof id.internal);
  std::memcpy(result.bytes.data(), id.internal, sizeof id.internal);
  return result;
}

atollUniqueId cUniqueIdOf(const UniqueId& id) {
  atollUniqueId result;
  std::memcpy(result.internal, id.bytes.data(), sizeof result.internal);
  return result;
}

Status checkPlace(int nranks, int rank) {
  if (nranks < 1) return makeError(ErrorCode::invalidArgument, "argument nranks is {}; it must be at least 1", nranks);
  if (rank < 0 || rank >= nranks) {
    return makeError(ErrorCode::invalidArgument, "argument rank is {}, but argument nranks is {} (ranks 0-{})", rank,
                     nranks, nranks - 1);
  }
  return success();
}

Result<std::vector<UniqueId>> checkIds(const atollUniqueId* ids, int nids, int nranks) {
  ATOLL_TRY(checkNotNull("ids", ids));
  if (nids < 1 || nids > nranks) {
    return makeError(ErrorCode::invalidArgument, "argument nids is {}; it must be from 1 to nranks, {}", nids, nranks);
  }
  std::vector<UniqueId> result;
  for (int i = 0; i < nids; ++i) {
    result.push_back(uniqueIdOf(ids[i]));
    if (result.back() == UniqueId{}) {
      return makeError(ErrorCode::invalidArgument, "argument id{} is all zero; atollGetUniqueId makes ids",
                       nids == 1 ? std::string() : fmt::format("s[{}]", i));
    }
  }
  return result;
}

Made makeOn(std::shared_ptr<Session> session, Rank rank, const Settings& settings) {
  ATOLL_ASSIGN(auto communicator, Communicator::create(std::move(session), rank, settings));
  ATOLL_TRY(applyPlanSetting(*communicator));
  return communicator;
}

Made join(std::span<const UniqueId> ids, Rank rank, Rank ranks, const Settings& settings, Deadline deadline) {
  ATOLL_ASSIGN(auto session, Session::join(ids, rank, ranks, settings, deadline));
  return makeOn(std::move(session), rank, settings);
}

Made joinByFile(const std::string& path, Rank rank, Rank ranks, const Settings& settings) {
  const Deadline deadline = Deadline::inSeconds(settings.bootstrapTimeoutSeconds);
  ATOLL_ASSIGN(const UniqueId id, rendezvousByFile(path, rank == 0, settings, deadline));
  auto made = join(std::span(&id, 1), rank, ranks, settings, deadline);
  if (rank == 0) {
    const Status removed = removeRendezvousFile(path);
    if (!removed.ok()) log::warn("{}", removed.error().text);  // the communicator is good all the same
  }
  return made;
}

Made joinByEnvironment(const Settings& settings) {
  ATOLL_ASSIGN(const auto launch, detectLaunch());
  if (!launch) {
    log::line(log::Subject::info, 0, "no launcher found in the environment: a communicator of one rank");
    return makeOn(Session::local(1, settings), 0, settings);
  }
  const Deadline deadline = Deadline::inSeconds(settings.bootstrapTimeoutSeconds);
  ATOLL_ASSIGN(const UniqueId id, rendezvousFromEnvironment(*launch, settings, deadline));
  return join(std::span(&id, 1), launch->process, launch->processes, settings, deadline);
}

/// What `begin` checks and prepares is started with the configuration; errors are the call's.
template <class Begin>
atollResult_t initialise(const char* call, atollComm_t* comm, const atollConfig_t* config, Begin&& begin) noexcept {
  return guarded(call, [&]() -> atollResult_t {
    const auto refuse = [&](const Error& error) { return spoilGroup(report(call, error)); };
    if (const Status status = checkNotNull("comm", comm); !status.ok()) return refuse(status.error());
    *comm = nullptr;
    const auto configuration = configureFromEnvironment(config);
    if (!configuration.ok()) return refuse(configuration.error());
    const Result<Maker> maker = begin(configuration->settings);
    if (!maker.ok()) return refuse(maker.error());
    return start(call, comm, *configuration, prepared(*maker));
  });
}

atollResult_t initialiseByIds(const char* call, atollComm_t* comm, int nranks, int rank, int nids,
                              const atollUniqueId* ids, const atollConfig_t* config) noexcept {
  return initialise(call, comm, config, [&](const Settings& settings) -> Result<Maker> {
    ATOLL_TRY(checkPlace(nranks, rank));
    ATOLL_ASSIGN(const auto checked, checkIds(ids, nids, nranks));
    return Maker([checked, rank, nranks, settings] {
      return join(checked, rank, nranks, settings, Deadline::inSeconds(settings.bootstrapTimeoutSeconds));
    });
  });
}

Status makeAll(atollComm_t* comms, int nranks) {
  ATOLL_ASSIGN(const auto configuration, configureFromEnvironment(nullptr));
  const auto session = Session::local(nranks, configuration.settings);
  std::vector<std::unique_ptr<Communicator>> made;
  for (Rank rank = 0; rank < nranks; ++rank) {
    ATOLL_ASSIGN(auto communicator, makeOn(session, rank, configuration.settings));
    made.push_back(std::move(communicator));
  }
  return adoptAll(std::move(made), comms);
}

/// The environment's word on this process, and an id for all of its job.
struct JobId {
  UniqueId id;
  Rank process = 0;
  Rank processes = 1;
};

Result<JobId> jobId() {
  ATOLL_ASSIGN(const auto settings, Settings::fromEnvironment());
  ATOLL_ASSIGN(const auto launch, detectLaunch());
  if (!launch) {
    ATOLL_ASSIGN(const UniqueId id, openRendezvous(settings));
    return JobId{id};
  }
  const Deadline deadline = Deadline::inSeconds(settings.bootstrapTimeoutSeconds);
  ATOLL_ASSIGN(const UniqueId id, rendezvousFromEnvironment(*launch, settings, deadline));
  return JobId{id, launch->process, launch->processes};
}

}  // namespace
}  // namespace atl::api

using namespace atl;       // NOLINT(google-build-using-namespace): the C functions are outside
using namespace atl::api;  // NOLINT(google-build-using-namespace)

atollResult_t atollGetUniqueId(atollUniqueId* id) {
  constexpr auto kCall = "atollGetUniqueId";
  return guarded(kCall, [&]() -> atollResult_t {
    if (const Status status = checkNotNull("id", id); !status.ok()) return report(kCall, status.error());
    const auto settings = Settings::fromEnvironment();
    if (!settings.ok()) return report(kCall, settings.error());
    const auto opened = openRendezvous(*settings);
    if (!opened.ok()) return report(kCall, opened.error());
    *id = cUniqueIdOf(*opened);
    return atollSuccess;
  });
}

atollResult_t atollGetUniqueIdFromEnv(atollUniqueId* id, int* process, int* processes) {
  constexpr auto kCall = "atollGetUniqueIdFromEnv";
  return guarded(kCall, [&]() -> atollResult_t {
    if (const Status status = checkNotNull("id", id); !status.ok()) return report(kCall, status.error());
    const auto job = jobId();
    if (!job.ok()) return report(kCall, job.error());
    *id = cUniqueIdOf(job->id);
    if (process != nullptr) *process = job->process;
    if (processes != nullptr) *processes = job->processes;
    return atollSuccess;
  });
}

atollResult_t atollCommInitRank(atollComm_t* comm, int nranks, atollUniqueId id, int rank) {
  return initialiseByIds("atollCommInitRank", comm, nranks, rank, 1, &id, nullptr);
}

atollResult_t atollCommInitRankConfig(atollComm_t* comm, int nranks, atollUniqueId id, int rank,
                                      const atollConfig_t* config) {
  return initialiseByIds("atollCommInitRankConfig", comm, nranks, rank, 1, &id, config);
}

atollResult_t atollCommInitRankScalable(atollComm_t* comm, int nranks, int rank, int nids, const atollUniqueId* ids,
                                        const atollConfig_t* config) {
  return initialiseByIds("atollCommInitRankScalable", comm, nranks, rank, nids, ids, config);
}

atollResult_t atollCommInitAll(atollComm_t* comms, int nranks) {
  constexpr auto kCall = "atollCommInitAll";
  return guarded(kCall, [&]() -> atollResult_t {
    Status status = checkNotNull("comms", comms);
    if (status.ok()) status = checkPlace(nranks, 0);
    if (!status.ok()) return spoilGroup(report(kCall, status.error()));
    std::fill_n(comms, nranks, nullptr);
    status = makeAll(comms, nranks);
    return status.ok() ? atollSuccess : spoilGroup(report(kCall, status.error()));
  });
}

atollResult_t atollCommInitEnv(atollComm_t* comm, const atollConfig_t* config) {
  return initialise("atollCommInitEnv", comm, config, [](const Settings& settings) -> Result<Maker> {
    return Maker([settings] { return joinByEnvironment(settings); });
  });
}

atollResult_t atollCommInitFile(atollComm_t* comm, int nranks, int rank, const char* path,
                                const atollConfig_t* config) {
  return initialise("atollCommInitFile", comm, config, [&](const Settings& settings) -> Result<Maker> {
    ATOLL_TRY(checkPlace(nranks, rank));
    ATOLL_TRY(checkNotNull("path", path));
    return Maker(
        [file = std::string(path), rank, nranks, settings] { return joinByFile(file, rank, nranks, settings); });
  });
}
