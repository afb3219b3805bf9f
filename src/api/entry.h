// SPDX-License-Identifier: Apache-2.0
// What the API keeps for one communicator handle, and who may touch it when.
//
// Entries live for ever at fixed places and are used again under a new generation, so a stale handle is
// recognised by one comparison and never followed into freed memory. Two things order access:
//   * the claim: one thread at a time makes calls on a communicator; taking it is one atomic exchange;
//   * the mutex: guards what any thread may ask for at any time (owner, failure, texts).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "atoll/atoll.h"
#include "src/api/last_call.h"
#include "src/api/operators.h"
#include "src/api/turns.h"
#include "src/base/result.h"
#include "src/comm/communicator.h"
#include "transports/declared_memory.h"

namespace atl::api {

/// Entries of different ranks share no cache lines, nor pairs of them.
inline constexpr std::size_t kEntryAlignment = 128;

/// How far a communicator is in its life.
enum class Phase : std::uint8_t {
  vacant,     ///< no communicator
  starting,   ///< being made in the background or by a group
  ready,      ///< takes calls
  broken,     ///< could not be made; `failure` says why
  finalized,  ///< takes no more calls
  closing,    ///< being destroyed or aborted
};

struct alignas(kEntryAlignment) Entry {
  /// Generation and phase in one word, so that one load tells whether a handle is live and ready: see lifeOf().
  std::atomic<std::uint64_t> life{0};
  /// Set while a thread makes a call. Seen by closers, which set `life` first: one of the two always sees the other.
  std::atomic<bool> claimed{false};

  // Set before the entry is ready; read under the claim or the mutex.
  Communicator* communicator = nullptr;
  Rank rank = kNoRank;
  Rank ranks = 0;
  int device = -1;  ///< −1: host memory

  // Under the claim.
  LastCall last;
  OperatorTable operators;
  std::map<std::uint64_t, Declaration> registrations;  ///< by handle

  Turns turns;

  // Under the mutex.
  std::mutex mutex;
  std::shared_ptr<Communicator> owner;  ///< what `communicator` points to
  std::optional<Error> failure;         ///< why it is broken
  std::string lastError;
  std::string name;     ///< the user's, from the configuration
  std::thread starter;  ///< makes the communicator in the background

  /// Keeps "call: text" as the communicator's last error, and as this thread's, and gives its result.
  atollResult_t fail(std::string_view call, const Error& error);
};

/// The value of Entry::life for a handle in a phase.
constexpr std::uint64_t lifeOf(std::uint32_t generation, Phase phase) {
  return (std::uint64_t{generation} << 8) | static_cast<std::uint64_t>(phase);
}
constexpr Phase phaseIn(std::uint64_t life) {
  return static_cast<Phase>(life & 0xff);
}

/// A handle taken apart. Handles are numbers, not addresses: generation, place and a mark that tells them from others.
struct HandleParts {
  std::uint32_t generation = 0;
  std::uint32_t index = 0;

  static std::optional<HandleParts> of(atollComm_t handle) {
    const auto bits = reinterpret_cast<std::uintptr_t>(handle);
    if ((bits & kMarkMask) != kMark) return std::nullopt;
    return HandleParts{static_cast<std::uint32_t>(bits >> 32), static_cast<std::uint32_t>(bits & 0xffffffff) >> 4};
  }
  [[nodiscard]] atollComm_t handle() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): never followed
    return reinterpret_cast<atollComm_t>((std::uintptr_t{generation} << 32) | (std::uintptr_t{index} << 4) | kMark);
  }

 private:
  static constexpr std::uintptr_t kMarkMask = 0xf;
  static constexpr std::uintptr_t kMark = 0xa;
};
static_assert(sizeof(std::uintptr_t) == 8, "handles carry a generation and a place");

/// All entries of the process.
class EntryTable {
 public:
  static EntryTable& instance();

  /// The entry at the handle's place, whatever its generation; null when there is none.
  [[nodiscard]] Entry* at(const HandleParts& parts) const {
    if (parts.index >= kChunks * kChunkEntries) return nullptr;
    Entry* chunk = chunks_[parts.index / kChunkEntries].load(std::memory_order_acquire);
    return chunk == nullptr ? nullptr : &chunk[parts.index % kChunkEntries];
  }

  /// A vacant entry becomes one that is `starting`.
  Result<atollComm_t> open(std::string name);
  /// An entry whose communicator is gone becomes vacant; its handle is dead from now on.
  void close(atollComm_t handle);

 private:
  static constexpr std::size_t kChunkEntries = 64;
  static constexpr std::size_t kChunks = 16384;

  std::atomic<Entry*> chunks_[kChunks]{};
  std::mutex mutex_;
  std::vector<std::uint32_t> vacant_;  ///< places to use again
  std::uint32_t used_ = 0;             ///< places that were ever used
};

/// The right of this thread to make a call on a communicator. Costs one atomic exchange, and a store to give back.
class Claim {
 public:
  /// Takes it if the handle is live and in the phase; false otherwise, and then refusal() says why.
  explicit Claim(atollComm_t handle, Phase phase = Phase::ready) {
    const auto parts = HandleParts::of(handle);
    if (!parts) return;
    Entry* entry = EntryTable::instance().at(*parts);
    const std::uint64_t wanted = lifeOf(parts->generation, phase);
    if (entry == nullptr || entry->life.load(std::memory_order_acquire) != wanted) return;
    if (entry->claimed.exchange(true)) return;
    if (entry->life.load() != wanted) {  // a closer came in between
      entry->claimed.store(false, std::memory_order_release);
      return;
    }
    entry_ = entry;
  }
  Claim(Claim&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  Claim& operator=(Claim&&) = delete;
  ~Claim() {
    if (entry_ != nullptr) entry_->claimed.store(false, std::memory_order_release);
  }

  explicit operator bool() const { return entry_ != nullptr; }
  [[nodiscard]] Entry& entry() const { return *entry_; }

 private:
  Entry* entry_ = nullptr;
};

/// Waits for a thread that is in a call and on its way out: its communicator was aborted, or it found the handle
/// closing. Closers are rare and patient, so that callers need not wake them.
void awaitUnclaimed(const Entry& entry);

/// Why a handle could not be claimed.
Error refusal(atollComm_t handle);

/// An entry under its mutex, for what any thread may ask for; empty when the handle is not live.
class Inspection {
 public:
  explicit Inspection(atollComm_t handle);
  explicit operator bool() const { return entry_ != nullptr; }
  [[nodiscard]] Entry& entry() const { return *entry_; }
  [[nodiscard]] Phase phase() const { return phase_; }

 private:
  Entry* entry_ = nullptr;
  Phase phase_ = Phase::vacant;
  std::unique_lock<std::mutex> lock_;
};

}  // namespace atl::api
