// SPDX-License-Identifier: Apache-2.0
// A session: the out-of-band side of one communicator. It brings the ranks together, exchanges small tables, and
// spreads notices (a death, an abort, a departure). One a communicator and process, shared by the ranks of that
// process; its sockets form a tree of processes and are served by the process's one service thread. That thread does
// not survive fork(): a child forked after the first use of a session gets an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "src/base/clock.h"
#include "src/base/result.h"
#include "src/base/settings.h"
#include "src/bootstrap/directory.h"

namespace atl {

/// What atollGetUniqueId gives and every rank brings: where the rendezvous is, and the group's secret. 128 bytes.
struct UniqueId {
  std::array<std::uint8_t, 128> bytes{};
  friend bool operator==(const UniqueId&, const UniqueId&) = default;
};

/// Opens a rendezvous in this process and returns its id. The rendezvous lives until a session made from it is complete
/// and closed, or the process ends.
Result<UniqueId> openRendezvous(const Settings& settings);

/// An id whose rendezvous is at a given address, with the secret derived from `secretText`; for launchers whose ranks
/// share only an address (MASTER_ADDR). The process of rank 0 calls it with `host` true and listens there; the others
/// only construct it.
Result<UniqueId> rendezvousAt(const std::string& hostPort, std::string_view secretText, bool host,
                              const Settings& settings);

/// Something that all ranks of a communicator should know.
struct Notice {
  enum class Kind : std::uint8_t {
    died,     ///< a process ended without saying goodbye: `rank` is one of its ranks
    failed,   ///< `rank` hit an error in a call; text says which
    aborted,  ///< `rank` called abort
    left,     ///< `rank` destroyed its communicator
  };
  Kind kind = Kind::failed;
  Rank rank = kNoRank;
  std::uint8_t code = 0;  ///< ErrorCode, for failed
  std::string text;       ///< names rank and host; at most 1 KiB on the wire
};

class Session {
 public:
  virtual ~Session() = default;

  /// Joins rank `rank` of `ranks` to the group of `id`; blocks until all have joined. Every rank that cannot be joined
  /// has the same error, which names the ranks that did not come, came twice, or brought another `ranks`, protocol
  /// version or secret; so have ranks that come within a few seconds after the failure. Several ids (the scalable form)
  /// spread the arrivals: rank r goes to id r·ids/ranks. An id serves any number of sessions, one after the other,
  /// while its rendezvous is open.
  static Result<std::shared_ptr<Session>> join(std::span<const UniqueId> ids, Rank rank, Rank ranks,
                                               const Settings& settings, Deadline deadline);

  /// A session of `ranks` ranks that all live in this process; no sockets, no waiting.
  static std::shared_ptr<Session> local(Rank ranks, const Settings& settings);

  /// A session of a subset of this one's ranks: `members[i]` is the old rank of the new rank i. Collective over the
  /// members (each of them calls it with the same list and the same `serial`); non-members do not take part.
  virtual Result<std::shared_ptr<Session>> subset(Rank me, std::span<const Rank> members, std::uint64_t serial,
                                                  Deadline deadline) = 0;

  [[nodiscard]] virtual const Directory& directory() const = 0;
  /// The same on every rank; unique among the communicators of every process that takes part.
  [[nodiscard]] virtual std::uint64_t communicator() const = 0;

  /// Every rank gives `mine` (the same size everywhere) and gets all of them, in rank order. Blocks. Calls on a session
  /// are in the same order on every rank. Small tables only: a few tens of bytes per rank. Fails as soon as any notice
  /// says that some rank cannot take part any more, and from then on.
  virtual Result<std::vector<std::byte>> allGather(Rank me, std::span<const std::byte> mine, Deadline deadline) = 0;

  /// Spreads a notice to every rank; returns at once.
  virtual void spread(const Notice& notice) = 0;

  /// `handler` is called on the service thread (or on the caller of spread, for ranks of this process) for every notice
  /// but `me`'s own, in the order in which they came, also for those that came before it was set. It must be brief and
  /// must not call back into the session. Empty handler: none; when this returns no call of the old one is under way.
  virtual void onNotice(Rank me, std::function<void(const Notice&)> handler) = 0;

  /// This rank is done. When all ranks of the process have left, the sockets go (in the background, after the
  /// children's, or with the process: the ranks below it in the tree then hear no more notices from the others). Ranks
  /// that have not left when the last holder drops the session have left by that. `kept` is something of this rank's
  /// that others of the process may use until they leave: it is let go with the last of them, in its thread.
  virtual void leave(Rank me, std::shared_ptr<void> kept = nullptr) = 0;
};

}  // namespace atl
