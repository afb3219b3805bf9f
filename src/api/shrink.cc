// SPDX-License-Identifier: Apache-2.0
// atollCommShrink: a turn of the parent like a split, but for ranks that some have left.
#include <algorithm>
#include <span>
#include <vector>

#include "src/api/arguments.h"
#include "src/api/group.h"
#include "src/api/report.h"
#include "src/api/start.h"

namespace atl::api {
namespace {

constexpr auto kCall = "atollCommShrink";

/// The ranks that are left out, each once, or what is wrong with them.
Result<std::vector<Rank>> checkExcluded(const int* excluded, int count, Rank me, Rank ranks) {
  if (count < 1 || count >= ranks) {
    return makeError(ErrorCode::invalidArgument,
                     "argument count is {}; it must be from 1 to {}, for the communicator has {} ranks", count,
                     ranks - 1, ranks);
  }
  ATOLL_TRY(checkNotNull("excluded", excluded));
  std::vector<Rank> all(excluded, excluded + count);
  std::ranges::sort(all);
  if (all.front() < 0 || all.back() >= ranks) {
    return makeError(ErrorCode::invalidArgument,
                     "argument excluded lists {}, which is no rank of the communicator's {}",
                     all.front() < 0 ? all.front() : all.back(), ranks);
  }
  if (const auto twice = std::ranges::adjacent_find(all); twice != all.end()) {
    return makeError(ErrorCode::invalidArgument, "argument excluded lists rank {} twice", *twice);
  }
  if (std::ranges::binary_search(all, me)) {
    return makeError(ErrorCode::invalidArgument,
                     "argument excluded lists rank {}, which is this one: ranks that are left out do not call", me);
  }
  return all;
}

/// Ends what is under way, and waits until this rank's calls have returned.
Status abortFirst(atollComm_t comm) {
  Entry* entry = nullptr;
  std::shared_ptr<Communicator> communicator;
  {
    const Inspection inspection(comm);
    if (inspection && inspection.phase() == Phase::ready) {
      entry = &inspection.entry();
      communicator = entry->owner;
    }
  }
  if (communicator == nullptr) return refusal(comm);
  communicator->abort();
  awaitUnclaimed(*entry);
  return success();
}

/// Settled when it begins, which in a group is at its end.
Result<Maker> prepare(atollComm_t parent, const std::vector<Rank>& excluded, bool aborts, const Settings& settings) {
  if (aborts) ATOLL_TRY(abortFirst(parent));
  const auto makeFrom = [excluded, aborts, settings](Communicator& its) -> Result<std::unique_ptr<Communicator>> {
    if (const Status state = its.failure(); !aborts && !state.ok()) {
      return Error(state.error()).within("the communicator has failed, and only ATOLL_SHRINK_ABORT shrinks it then");
    }
    return its.shrink(excluded, settings);
  };
  return inTurnOf(parent, makeFrom);
}

/// What a shrink needs to know of its parent.
struct Parent {
  Configuration configuration;
  Rank rank = 0;
  Rank ranks = 0;
};

Result<Parent> parentOf(atollComm_t comm, const atollConfig_t* config) {
  {
    const Inspection inspection(comm);
    if (inspection && inspection.phase() == Phase::ready) {
      const Entry& entry = inspection.entry();
      ATOLL_ASSIGN(auto configuration, configure(config, entry.owner->settings()));
      return Parent{std::move(configuration), entry.rank, entry.ranks};
    }
  }
  return refusal(comm);
}

atollResult_t shrink(atollComm_t comm, const int* excluded, int count, atollComm_t* newcomm,
                     const atollConfig_t* config, int flags) {
  const auto refuse = [](const Error& error) { return spoilGroup(report(kCall, error)); };
  if (const Status status = checkNotNull("newcomm", newcomm); !status.ok()) return refuse(status.error());
  *newcomm = nullptr;
  if (flags != ATOLL_SHRINK_DEFAULT && flags != ATOLL_SHRINK_ABORT) {
    return refuse(makeError(ErrorCode::invalidArgument,
                            "argument flags is {}; it must be ATOLL_SHRINK_DEFAULT or ATOLL_SHRINK_ABORT", flags));
  }
  const auto parent = parentOf(comm, config);
  if (!parent.ok()) return refuse(parent.error());
  const auto checked = checkExcluded(excluded, count, parent->rank, parent->ranks);
  if (!checked.ok()) return refuse(checked.error());
  return start(kCall, newcomm, parent->configuration,
               [comm, out = *checked, aborts = flags == ATOLL_SHRINK_ABORT, settings = parent->configuration.settings] {
                 return prepare(comm, out, aborts, settings);
               });
}

}  // namespace
}  // namespace atl::api

atollResult_t atollCommShrink(atollComm_t comm, const int* excluded, int count, atollComm_t* newcomm,
                              const atollConfig_t* config, int flags) {
  return atl::api::guarded(atl::api::kCall,
                           [&] { return atl::api::shrink(comm, excluded, count, newcomm, config, flags); });
}
