// SPDX-License-Identifier: Apache-2.0
// A session that is forming, as one process sees it: its ranks come one by one (threads, in any order), the process
// finds its place in the tree, arrivals go up, and the directory or a failure comes down.
//
// The process that holds the desk of the first id is the root and keeps the Assembly. When all ranks come in that
// process, no connection is made and the service thread has no part in it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "src/base/clock.h"
#include "src/base/settings.h"
#include "src/bootstrap/assembly.h"
#include "src/bootstrap/channel.h"
#include "src/bootstrap/desk.h"
#include "src/bootstrap/dial.h"
#include "src/bootstrap/group_session.h"

namespace atl {

class Forming final : public ChannelOwner, public std::enable_shared_from_this<Forming> {
 public:
  /// The one that is forming in this process for a first id.
  static Result<std::shared_ptr<Forming>> of(const UniqueId& firstId, const Settings& settings);

  /// A failed one is kept for a few seconds, so that those who come late learn of the failure; this makes room for
  /// another attempt.
  static void forgetFailed(const IdFields& firstId);

  Forming(const UniqueId& firstId, IdFields fields, std::shared_ptr<Desk> desk, ProcessInfo self);
  ~Forming() override;
  Forming(const Forming&) = delete;
  Forming& operator=(const Forming&) = delete;

  /// Brings a rank of this process and waits for the others.
  Result<std::shared_ptr<Session>> join(std::span<const UniqueId> ids, Rank rank, Rank ranks, Deadline deadline);

  // On the service thread.

  /// A process that has come to a desk here.
  void enrol(const std::shared_ptr<Channel>& channel, const Enrol& message, const std::shared_ptr<Desk>& desk);
  /// Ends the attempt, for everybody.
  void fail(Error error);

  Status onFrame(const std::shared_ptr<Channel>& channel, MessageType type, std::span<const std::byte> body) override;
  void onClosed(const std::shared_ptr<Channel>& channel, const Error& why) override;

 private:
  enum class State : std::uint8_t { forming, completing, complete, failed };
  struct Child {
    std::shared_ptr<Channel> channel;
    std::optional<ProcessInfo> info;  ///< once it has said who it is
  };
  struct Queued {
    MessageType type;
    Bytes body;
  };

  /// Where a process of this rank enrols.
  struct Destination {
    IdFields desk;
    Bytes sealedFirstId;
  };
  Result<Destination> destination(std::span<const UniqueId> ids, Rank rank, Rank ranks);
  void considerDeadline(Deadline deadline);
  void onDeadline();
  void settle(std::shared_ptr<Session> session);
  bool settleFailed(const Error& error);
  void unregister();

  void goTo(const Destination& destination, Deadline deadline);
  void onAssign(const Assign& assign);
  void parentReached(std::shared_ptr<Channel> channel, const Assign& assign);
  void expectChildren(std::uint64_t tree, std::uint32_t place);
  void up(MessageType type, Bytes body);
  void arrive(const Process& process);
  void arrive(const Join& join);
  void completeAsRoot();
  Status onDirectory(std::span<const std::byte> body);
  void formSession(DirectoryMessage message);
  void closeAll(const Error& error);

  const UniqueId firstId_;
  const IdFields first_;
  const bool isRoot_;  ///< the first id's desk is here
  const ProcessInfo self_;
  const Clock::time_point begun_;
  GroupRegistration registration_;

  std::mutex mutex_;
  std::condition_variable settled_;
  State state_ = State::forming;
  std::optional<Error> error_;
  std::shared_ptr<Session> session_;
  std::vector<std::shared_ptr<Desk>> desks_;  ///< of this process, for any of the ids; they stay as long as the session
  bool started_ = false;                      ///< a rank here has come
  bool othersCame_ = false;                   ///< some other process takes part
  Assembly assembly_;                         ///< root
  Deadline deadline_ = Deadline::never();     ///< root: the earliest of those that were brought

  // Service thread.
  bool underWay_ = false;  ///< to a desk elsewhere
  Deadline ownDeadline_ = Deadline::never();
  std::shared_ptr<Dial> dial_;
  std::shared_ptr<Channel> deskChannel_;
  std::shared_ptr<Channel> parent_;
  std::uint64_t parentId_ = 0;
  std::vector<Queued> queued_;  ///< for the parent
  std::vector<Child> children_;
  std::vector<std::shared_ptr<Channel>> assigned_;  ///< newcomers on their way to a parent elsewhere
  std::vector<ProcessInfo> places_;                 ///< of the tree that begins here
  std::uint64_t tree_ = 0;
  std::vector<Reception::AcceptId> expected_;
  Service::TimerId timer_ = 0;
};

}  // namespace atl
