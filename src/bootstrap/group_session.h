// SPDX-License-Identifier: Apache-2.0
// A session whose ranks have all come: the tree of its processes is up, or all of it is in this process.
//
// Locks: mutex_ guards what rank threads and the service thread share; each rank's handlerMutex is held while its
// handler runs and is taken before mutex_, never after it. The tree's channels are touched on the service thread only.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "src/bootstrap/channel.h"
#include "src/bootstrap/reception.h"
#include "src/bootstrap/session.h"

namespace atl {

/// A connection of the tree, and the process (index into the directory) at its other end.
struct TreeEdge {
  std::shared_ptr<Channel> channel;
  std::uint32_t process = 0;
};

/// This process's place in the tree.
struct TreePlace {
  std::optional<TreeEdge> parent;
  std::vector<TreeEdge> children;
  [[nodiscard]] bool alone() const { return !parent && children.empty(); }
};

class GroupSession final : public Session, public ChannelOwner, public std::enable_shared_from_this<GroupSession> {
 public:
  static constexpr std::size_t kFanOut = 8;  ///< of the tree

  /// On the service thread, when the place has edges. The session returned is the users' handle: when the last of them
  /// drops it, those ranks of this process that have not left are taken to have left. `companion` is something that
  /// lives as long as the session.
  static std::shared_ptr<Session> create(Directory directory, std::uint64_t communicator, TreePlace place,
                                         std::shared_ptr<void> companion = nullptr);

  GroupSession(Directory directory, std::uint64_t communicator, TreePlace place, std::shared_ptr<void> companion);
  ~GroupSession() override;

  Result<std::shared_ptr<Session>> subset(Rank me, std::span<const Rank> members, std::uint64_t serial,
                                          Deadline deadline) override;
  [[nodiscard]] const Directory& directory() const override { return directory_; }
  [[nodiscard]] std::uint64_t communicator() const override { return communicator_; }
  Result<std::vector<std::byte>> allGather(Rank me, std::span<const std::byte> mine, Deadline deadline) override;
  void spread(const Notice& notice) override;
  void onNotice(Rank me, std::function<void(const Notice&)> handler) override;
  void leave(Rank me, std::shared_ptr<void> kept) override;

  Status onFrame(const std::shared_ptr<Channel>& channel, MessageType type, std::span<const std::byte> body) override;
  void onClosed(const std::shared_ptr<Channel>& channel, const Error& why) override;

 private:
  /// A rank of this process.
  struct Local {
    std::mutex handlerMutex;
    std::function<void(const Notice&)> handler;
    std::size_t delivered = 0;  ///< notices that the handler has had; under handlerMutex
    std::uint64_t gathers = 0;  ///< calls of allGather; the rank's own thread
    bool left = false;
  };
  /// An allGather under way.
  struct Gather {
    std::uint32_t size = 0;
    bool sized = false;
    std::string error;
    Bytes shares;  ///< of this process's ranks and of the subtrees below: (rank, share) back to back
    std::size_t localShares = 0;
    std::vector<std::uint32_t> childrenIn;  ///< processes whose subtree's shares have come
    std::shared_ptr<const Bytes> table;
    std::size_t taken = 0;  ///< local ranks that have fetched the result
    bool done = false;
    std::condition_variable changed;
  };
  class SubsetForming;

  void start();
  Local* local(Rank rank);
  void leaveAll();
  void closeWhenDone();

  void record(const Notice& notice);
  void deliver() const;
  void deliverTo(Rank rank, Local& local) const;
  void sendNotice(const Channel* except, const Channel::Body& body);
  [[nodiscard]] Notice complete(Notice notice) const;
  void lost(std::uint32_t process, const Error& why);

  Gather& gatherOf(std::uint64_t sequence);
  void setSize(Gather& gather, std::uint32_t size, std::string_view whose);
  [[nodiscard]] bool subtreeComplete(const Gather& gather) const;
  void subtreeGathered(std::uint64_t sequence);
  void assemble(Gather& gather);
  void gathered(std::uint64_t sequence, const Channel::Body& down);
  [[nodiscard]] std::string missingShares(const Gather& gather) const;
  Status onGatherUp(const Channel& channel, std::span<const std::byte> body);
  Status onGatherDown(std::span<const std::byte> body);

  const Directory directory_;
  const std::uint64_t communicator_;
  const std::shared_ptr<void> companion_;
  const bool alone_;                                 ///< no other process takes part
  std::size_t childCount_ = 0;                       ///< children there were at the start
  std::unique_ptr<GroupRegistration> registration_;  ///< lets the group's streams in
  std::vector<Rank> localRanks_;
  std::unordered_map<Rank, std::unique_ptr<Local>> locals_;  ///< never changes after construction

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Notice>> notices_;  ///< all that have come
  std::vector<bool> left_;                             ///< by rank
  std::size_t localsLeft_ = 0;
  std::vector<std::shared_ptr<void>> kept_;  ///< of local ranks that have left
  std::optional<Error> failure_;             ///< why no allGather can succeed any more
  std::map<std::uint64_t, std::unique_ptr<Gather>> gathers_;
  std::map<std::uint64_t, std::shared_ptr<SubsetForming>> subsets_;  ///< being formed; by communicator number

  TreePlace place_;                     ///< service thread
  bool leaving_ = false;                ///< service thread
  std::shared_ptr<GroupSession> self_;  ///< keeps the session while the tree needs it; service thread
};

}  // namespace atl
