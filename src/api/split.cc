// SPDX-License-Identifier: Apache-2.0
// atollCommSplit: takes a turn of the parent, like any other call on it.
#include "src/api/arguments.h"
#include "src/api/group.h"
#include "src/api/report.h"
#include "src/api/start.h"

namespace atl::api {
namespace {

constexpr auto kCall = "atollCommSplit";

/// Settled when the split begins, which in a group is at its end.
Result<Maker> prepare(atollComm_t parent, int color, int key, const Settings& settings) {
  return inTurnOf(parent, [color, key, settings](Communicator& its) { return its.split(color, key, settings); });
}

Result<Configuration> configuration(atollComm_t parent, const atollConfig_t* config) {
  const Claim claim(parent);
  if (!claim) return refusal(parent);
  return configure(config, claim.entry().communicator->settings());
}

atollResult_t split(atollComm_t comm, int color, int key, atollComm_t* newcomm, const atollConfig_t* config) {
  const auto refuse = [](const Error& error) { return spoilGroup(report(kCall, error)); };
  if (const Status status = checkNotNull("newcomm", newcomm); !status.ok()) return refuse(status.error());
  *newcomm = nullptr;
  const auto configured = configuration(comm, config);
  if (!configured.ok()) return refuse(configured.error());
  if (color < ATOLL_SPLIT_NOCOLOR) {
    return refuse(makeError(ErrorCode::invalidArgument,
                            "argument color is {}; it must be at least 0, or ATOLL_SPLIT_NOCOLOR (-1)", color));
  }
  return start(kCall, color < 0 ? nullptr : newcomm, *configured,
               [comm, color, key, settings = configured->settings] { return prepare(comm, color, key, settings); });
}

}  // namespace
}  // namespace atl::api

atollResult_t atollCommSplit(atollComm_t comm, int color, int key, atollComm_t* newcomm, const atollConfig_t* config) {
  return atl::api::guarded(atl::api::kCall, [&] { return atl::api::split(comm, color, key, newcomm, config); });
}
