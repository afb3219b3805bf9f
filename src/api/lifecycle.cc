// SPDX-License-Identifier: Apache-2.0
// How a communicator ends: finalize, destroy, abort; and the question whether it has ended by itself.
#include <thread>

#include "src/api/arguments.h"
#include "src/api/group.h"
#include "src/api/report.h"

namespace atl::api {
namespace {

enum class Ending { destroy, abort };

/// An entry that no new call can enter any more.
struct Closing {
  Entry* entry = nullptr;
  std::shared_ptr<Communicator> communicator;
  std::thread starter;
  bool wasStarting = false;
};

Result<Closing> beginClosing(atollComm_t comm, Ending ending) {
  {
    const Inspection inspection(comm);
    const Phase phase = inspection ? inspection.phase() : Phase::vacant;
    // One that a group is making belongs to the group until its end.
    const bool inGroup = phase == Phase::starting && !inspection.entry().starter.joinable();
    if (phase != Phase::vacant && phase != Phase::closing && !inGroup) {
      Entry& entry = inspection.entry();
      const bool inCall = ending == Ending::destroy && entry.claimed.load();
      if (!inCall) {
        entry.life.store(lifeOf(HandleParts::of(comm)->generation, Phase::closing));
        return Closing{&entry, entry.owner, std::move(entry.starter), phase == Phase::starting};
      }
    }
  }
  return refusal(comm);
}

Status end(atollComm_t comm, Ending ending) {
  ATOLL_ASSIGN(Closing closing, beginClosing(comm, ending));
  if (closing.wasStarting) {
    // Whoever makes it sees that the handle is closing, and frees it.
    if (ending == Ending::abort) {
      closing.starter.detach();
    } else {
      closing.starter.join();
    }
    return success();
  }
  if (ending == Ending::abort && closing.communicator != nullptr) closing.communicator->abort();
  awaitUnclaimed(*closing.entry);
  closing.entry->turns.drain();
  if (closing.starter.joinable()) closing.starter.join();
  closing.communicator.reset();
  EntryTable::instance().close(comm);
  return success();
}

Status finalize(atollComm_t comm) {
  const Claim claim(comm);
  if (!claim) return refusal(comm);
  Entry& entry = claim.entry();
  entry.turns.drain();
  const Status state = entry.communicator->failure();
  const std::scoped_lock lock(entry.mutex);
  const auto generation = HandleParts::of(comm)->generation;
  std::uint64_t ready = lifeOf(generation, Phase::ready);
  entry.life.compare_exchange_strong(ready, lifeOf(generation, Phase::finalized));  // an abort may have come first
  return state;
}

Result<atollResult_t> asyncError(atollComm_t comm, atollResult_t* error) {
  ATOLL_TRY(checkNotNull("error", error));
  {
    const Inspection inspection(comm);
    if (inspection) {
      Entry& entry = inspection.entry();
      if (inspection.phase() == Phase::starting) return atollInProgress;
      if (inspection.phase() == Phase::broken) return resultOf(entry.failure->code);
      if (entry.owner != nullptr) {
        const Status state = entry.owner->failure();
        if (state.ok()) return atollSuccess;
        entry.lastError = state.error().text;
        return resultOf(state.error().code);
      }
    }
  }
  return refusal(comm);
}

}  // namespace
}  // namespace atl::api

using namespace atl;       // NOLINT(google-build-using-namespace): the C functions are outside
using namespace atl::api;  // NOLINT(google-build-using-namespace)

atollResult_t atollCommFinalize(atollComm_t comm) {
  return guarded("atollCommFinalize", [&] { return finish("atollCommFinalize", finalize(comm)); });
}

atollResult_t atollCommDestroy(atollComm_t comm) {
  if (comm == nullptr) return atollSuccess;
  return guarded("atollCommDestroy", [&] { return finish("atollCommDestroy", end(comm, Ending::destroy)); });
}

atollResult_t atollCommAbort(atollComm_t comm) {
  if (comm == nullptr) return atollSuccess;
  return guarded("atollCommAbort", [&] { return finish("atollCommAbort", end(comm, Ending::abort)); });
}

atollResult_t atollCommGetAsyncError(atollComm_t comm, atollResult_t* error) {
  constexpr auto kCall = "atollCommGetAsyncError";
  return guarded(kCall, [&]() -> atollResult_t {
    const auto state = asyncError(comm, error);
    if (!state.ok()) return report(kCall, state.error());
    *error = *state;
    return atollSuccess;
  });
}
