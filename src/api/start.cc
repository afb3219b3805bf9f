// SPDX-License-Identifier: Apache-2.0
#include "src/api/start.h"

#include <optional>
#include <system_error>
#include <thread>

#include "src/api/group.h"
#include "src/api/plan_file.h"
#include "src/api/report.h"

namespace atl::api {
namespace {

/// The maker's word, exceptions included: it may run in a thread of its own.
Result<std::unique_ptr<Communicator>> make(const Maker& maker) {
  try {
    return maker();
  } catch (const std::bad_alloc&) {
    return makeError(ErrorCode::systemError, "out of memory");
  } catch (const std::system_error& failure) {
    return makeError(ErrorCode::systemError, "{}", failure.what());
  }
}

/// Puts the outcome into the handle's entry. A handle that was aborted, or that nobody is to have, goes.
void settle(const std::string& call, atollComm_t handle, Result<std::unique_ptr<Communicator>> made) {
  const HandleParts parts = *HandleParts::of(handle);
  Entry& entry = *EntryTable::instance().at(parts);
  const auto lifeIn = [&](Phase phase) { return lifeOf(parts.generation, phase); };
  {
    const std::scoped_lock lock(entry.mutex);
    if (entry.life.load() == lifeIn(Phase::starting)) {
      if (!made.ok()) {
        entry.failure = made.error();
        entry.lastError = fmt::format("{}: {}", call, made.error().text);
        entry.life.store(lifeIn(Phase::broken));
        return;
      }
      if (*made != nullptr) {
        entry.owner = std::move(*made);
        entry.communicator = entry.owner.get();
        entry.rank = entry.communicator->rank();
        entry.ranks = entry.communicator->ranks();
        entry.device = entry.communicator->settings().device;
        entry.life.store(lifeIn(Phase::ready));
        return;
      }
    }
  }
  EntryTable::instance().close(handle);
}

/// The thread that makes it. What the maker holds goes before the outcome can be seen.
std::thread begin(const PendingStart& start, Maker maker) {
  return std::thread([call = start.call, handle = start.handle, maker = std::move(maker)]() mutable {
    auto made = make(maker);
    maker = nullptr;
    settle(call, handle, std::move(made));
  });
}

/// Hands the thread to the entry, whose end will wait for it. A start that nobody wants the handle of ends by itself;
/// it holds a turn of the parent, whose end waits for that.
void beginInBackground(const PendingStart& start, Maker maker) {
  if (start.out == nullptr) {
    begin(start, std::move(maker)).detach();
    return;
  }
  Entry& entry = *EntryTable::instance().at(*HandleParts::of(start.handle));
  const std::scoped_lock lock(entry.mutex);  // the thread cannot settle, and so nobody destroy, before this is stored
  entry.starter = begin(start, std::move(maker));
}

atollResult_t startHere(const std::string& call, atollComm_t* out, const Configuration& configuration,
                        const Preparation& prepare) {
  const auto maker = prepare();
  if (!maker.ok()) return report(call, maker.error());
  auto made = make(*maker);
  if (!made.ok()) return report(call, made.error());
  if (*made == nullptr) return atollSuccess;
  const auto handle = EntryTable::instance().open(configuration.name);
  if (!handle.ok()) return report(call, handle.error());
  settle(call, *handle, std::move(made));
  *out = *handle;
  return atollSuccess;
}

void takeBack(const PendingStart& start) {
  EntryTable::instance().close(start.handle);
  if (start.out != nullptr) *start.out = nullptr;
}

/// After a blocking start: success, or why there is no communicator, whose handle then goes.
Status outcome(const PendingStart& start) {
  std::optional<Error> failure;
  {
    const Inspection inspection(start.handle);
    if (inspection && inspection.phase() == Phase::broken) failure = inspection.entry().failure;
  }
  if (!failure) return success();
  takeBack(start);
  return std::move(*failure);
}

/// Begins it in a thread: a blocking one's is added to `threads`.
Status tryBegin(const PendingStart& start, std::vector<std::thread>* threads) try {
  ATOLL_ASSIGN(auto maker, start.prepare());
  if (start.blocking) {
    threads->push_back(begin(start, std::move(maker)));
  } else {
    beginInBackground(start, std::move(maker));
  }
  return success();
} catch (const std::system_error& failure) {
  return makeError(ErrorCode::systemError, "cannot start a thread: {}", failure.what());
}

}  // namespace

atollResult_t start(const std::string& call, atollComm_t* out, const Configuration& configuration,
                    Preparation prepare) {
  if (out != nullptr) *out = nullptr;
  if (configuration.blocking && !groupIsOpen()) return startHere(call, out, configuration, prepare);

  const auto handle = EntryTable::instance().open(configuration.name);
  if (!handle.ok()) return spoilGroup(report(call, handle.error()));
  if (out != nullptr) *out = *handle;
  PendingStart pending{call, out, *handle, configuration.blocking, std::move(prepare)};
  if (groupIsOpen()) {
    addToGroup(std::move(pending));
    return configuration.blocking ? atollSuccess : atollInProgress;
  }
  const Status begun = tryBegin(pending, nullptr);
  if (begun.ok()) return atollInProgress;
  takeBack(pending);
  return report(call, begun.error());
}

atollResult_t startAll(std::vector<PendingStart> starts) {
  atollResult_t result = atollSuccess;
  std::vector<std::thread> threads;
  for (const PendingStart& pending : starts) {
    const Status begun = tryBegin(pending, &threads);
    if (!begun.ok()) settle(pending.call, pending.handle, begun.error());
    if (begun.ok() && !pending.blocking) result = atollInProgress;
  }
  for (std::thread& thread : threads) thread.join();

  std::optional<atollResult_t> failed;
  for (const PendingStart& pending : starts) {
    if (!pending.blocking) continue;
    const Status status = outcome(pending);
    if (!status.ok() && !failed) failed = report(pending.call, status.error());
  }
  return failed.value_or(result);
}

Result<Maker> inTurnOf(atollComm_t parent,
                       std::function<Result<std::unique_ptr<Communicator>>(Communicator&)> makeFrom) {
  const Claim claim(parent);
  if (!claim) return refusal(parent);
  const auto turn = std::make_shared<Turn>(claim.entry().turns);
  return Maker([turn, communicator = claim.entry().communicator,
                makeFrom = std::move(makeFrom)]() -> Result<std::unique_ptr<Communicator>> {
    turn->await();
    ATOLL_ASSIGN(auto made, makeFrom(*communicator));
    if (made != nullptr) ATOLL_TRY(applyPlanSetting(*made));
    return made;
  });
}

Status adoptAll(std::vector<std::unique_ptr<Communicator>> made, atollComm_t* out) {
  std::vector<atollComm_t> handles;
  for (std::size_t i = 0; i < made.size(); ++i) {
    auto handle = EntryTable::instance().open({});
    if (!handle.ok()) {
      for (const atollComm_t opened : handles) EntryTable::instance().close(opened);
      return std::move(handle).error();
    }
    handles.push_back(*handle);
  }
  for (std::size_t i = 0; i < made.size(); ++i) {
    settle("", handles[i], std::move(made[i]));
    out[i] = handles[i];
  }
  return success();
}

void drop(std::vector<PendingStart> starts) {
  for (const PendingStart& pending : starts) takeBack(pending);
}

}  // namespace atl::api
