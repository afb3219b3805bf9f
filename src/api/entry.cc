// SPDX-License-Identifier: Apache-2.0
#include "src/api/entry.h"

#include <chrono>

#include "src/api/report.h"

namespace atl::api {

atollResult_t Entry::fail(std::string_view call, const Error& error) {
  std::string text;
  {
    const std::scoped_lock lock(mutex);
    text = name.empty() ? std::string(call) : fmt::format("{} on '{}'", call, name);
    lastError = fmt::format("{}: {}", text, error.text);
  }
  return report(text, error);
}

EntryTable& EntryTable::instance() {
  // Never destroyed: calls may come while the process ends, and background threads may still hold entries.
  static auto* const table = new EntryTable;
  return *table;
}

Result<atollComm_t> EntryTable::open(std::string name) {
  const std::scoped_lock lock(mutex_);
  HandleParts parts;
  if (!vacant_.empty()) {
    parts.index = vacant_.back();
    vacant_.pop_back();
  } else {
    if (used_ == kChunks * kChunkEntries) {
      return makeError(ErrorCode::unsupported, "this process holds {} communicators, which is the limit", used_);
    }
    if (used_ % kChunkEntries == 0)
      chunks_[used_ / kChunkEntries].store(new Entry[kChunkEntries], std::memory_order_release);
    parts.index = used_++;
  }
  Entry& entry = *at(parts);
  parts.generation = static_cast<std::uint32_t>(entry.life.load(std::memory_order_relaxed) >> 8) + 1;
  const std::scoped_lock entryLock(entry.mutex);
  entry.name = std::move(name);
  entry.life.store(lifeOf(parts.generation, Phase::starting));
  return parts.handle();
}

void EntryTable::close(atollComm_t handle) {
  const auto parts = HandleParts::of(handle);
  Entry& entry = *at(*parts);
  std::shared_ptr<Communicator> last;  // ends outside the locks
  {
    const std::scoped_lock lock(entry.mutex);
    entry.life.store(lifeOf(parts->generation, Phase::vacant));
    last = std::move(entry.owner);
    entry.owner = nullptr;
    entry.communicator = nullptr;
    entry.rank = kNoRank;
    entry.ranks = 0;
    entry.last = {};
    entry.operators.clear();
    entry.registrations.clear();
    entry.failure.reset();
    entry.lastError.clear();
    entry.name.clear();
  }
  last.reset();
  const std::scoped_lock lock(mutex_);
  vacant_.push_back(parts->index);
}

void awaitUnclaimed(const Entry& entry) {
  constexpr auto kPause = std::chrono::microseconds(50);
  while (entry.claimed.load()) std::this_thread::sleep_for(kPause);
}

Error refusal(atollComm_t handle) {
  if (handle == nullptr) return makeError(ErrorCode::invalidArgument, "argument comm is NULL");
  const Inspection inspection(handle);
  if (!inspection) {
    return makeError(ErrorCode::invalidArgument,
                     "argument comm is {}, which is not a live communicator: it was destroyed, aborted or never made",
                     fmt::ptr(handle));
  }
  switch (inspection.phase()) {
    case Phase::starting:
      return makeError(
          ErrorCode::invalidUsage,
          "the communicator is still being made; call atollCommGetAsyncError until it gives atollSuccess, or "
          "atollGroupEnd");
    case Phase::broken: {
      Error failure = *inspection.entry().failure;
      return std::move(failure).within("the communicator could not be made");
    }
    case Phase::finalized:
      return makeError(ErrorCode::invalidUsage, "the communicator was finalized and takes no more calls");
    case Phase::closing:
      return makeError(ErrorCode::invalidUsage, "the communicator is being destroyed or aborted by another thread");
    case Phase::vacant:
    case Phase::ready: break;
  }
  return makeError(
      ErrorCode::invalidUsage,
      "another thread is in a call on this communicator; calls on one communicator are made by one thread at a "
      "time");
}

Inspection::Inspection(atollComm_t handle) {
  const auto parts = HandleParts::of(handle);
  if (!parts) return;
  Entry* entry = EntryTable::instance().at(*parts);
  if (entry == nullptr) return;
  std::unique_lock lock(entry->mutex);
  const std::uint64_t life = entry->life.load();
  if (life >> 8 != parts->generation || phaseIn(life) == Phase::vacant) return;
  entry_ = entry;
  phase_ = phaseIn(life);
  lock_ = std::move(lock);
}

}  // namespace atl::api
