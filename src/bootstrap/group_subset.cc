// SPDX-License-Identifier: Apache-2.0
// GroupSession's subset: the members' processes make a tree of their own. Everything but the connections follows from
// the parent's directory, so that it works while other members of the parent are dead.
#include <algorithm>

#include "src/base/hash.h"
#include "src/bootstrap/group_session.h"
#include "src/bootstrap/process_info.h"
#include "src/bootstrap/stream_request.h"

namespace atl {
namespace {

/// The lane that the tree's own streams bear in place of a plan's.
constexpr std::uint16_t kTreeLane = 0xffff;

/// The members' directory: their processes in the order of their first members.
Directory directoryOf(const Directory& parent, std::span<const Rank> members) {
  Directory directory;
  directory.secret = parent.secret;
  std::unordered_map<std::uint32_t, std::uint32_t> places;
  for (const Rank member : members) {
    const auto old = parent.processOf[static_cast<std::size_t>(member)];
    const auto [place, isNew] = places.try_emplace(old, static_cast<std::uint32_t>(directory.processes.size()));
    if (isNew) directory.processes.push_back(parent.processes[old]);
    directory.processOf.push_back(place->second);
  }
  return directory;
}

Status checkMembers(const Directory& parent, Rank me, std::span<const Rank> members) {
  std::vector<bool> seen(static_cast<std::size_t>(parent.ranks()), false);
  for (const Rank member : members) {
    if (member < 0 || member >= parent.ranks()) {
      return makeError(ErrorCode::invalidArgument, "subset: member {} is not one of {} ranks", member, parent.ranks());
    }
    if (seen[static_cast<std::size_t>(member)])
      return makeError(ErrorCode::invalidArgument, "subset: rank {} is listed twice", member);
    seen[static_cast<std::size_t>(member)] = true;
  }
  if (me < 0 || me >= parent.ranks() || !seen[static_cast<std::size_t>(me)]) {
    return makeError(ErrorCode::invalidArgument, "subset: rank {} is not among the members", me);
  }
  return success();
}

}  // namespace

/// A subset's session while its tree is being connected; shared by the members of this process.
class GroupSession::SubsetForming : public std::enable_shared_from_this<SubsetForming> {
 public:
  SubsetForming(Directory directory, std::uint64_t number, Deadline deadline)
      : directory_(std::move(directory)), number_(number), deadline_(deadline) {
    firstRank_.resize(directory_.processes.size());
    for (Rank rank = directory_.ranks(); rank-- > 0;) {
      firstRank_[directory_.processOf[static_cast<std::size_t>(rank)]] = rank;
      if (directory_.process(rank).id == processNumber()) ++members_;
    }
  }

  void start() {
    if (directory_.processes.size() == 1) return settle(GroupSession::create(directory_, number_, {}));
    Service::running().post([self = shared_from_this()] { self->connect(); });
  }

  Result<std::shared_ptr<Session>> wait(Deadline deadline) {
    std::unique_lock lock(mutex_);
    const auto settled = [this] { return session_ != nullptr || error_.has_value(); };
    if (deadline.isNever()) {
      changed_.wait(lock, settled);
    } else if (!changed_.wait_until(lock, deadline.at(), settled)) {
      return makeError(ErrorCode::timeout, "subset: not all members took part within the time limit");
    }
    if (error_) return *error_;
    auto session = session_;
    if (++taken_ == members_) session_.reset();  // from now on the members alone keep it
    return session;
  }

 private:
  struct Edge {
    std::uint32_t process = 0;
    std::unique_ptr<StreamRequest> request;
    UniqueFd fd;
  };

  void connect() {
    std::uint32_t place = 0;
    while (directory_.processes[place].id != processNumber()) ++place;
    std::vector<std::uint32_t> neighbours;
    if (place > 0) neighbours.push_back((place - 1) / kFanOut);
    hasParent_ = place > 0;
    for (std::size_t child = place * kFanOut + 1;
         child <= place * kFanOut + kFanOut && child < directory_.processes.size(); ++child) {
      neighbours.push_back(static_cast<std::uint32_t>(child));
    }
    edges_.resize(neighbours.size());
    missing_ = neighbours.size();
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
      const auto other = neighbours[i];
      edges_[i].process = other;
      const StreamKey key{number_, firstRank_[std::min(place, other)], firstRank_[std::max(place, other)], kTreeLane,
                          0};
      const auto& here = directory_.processes[place];
      const auto& there = directory_.processes[other];
      const bool local = here.host == there.host && !here.localName.empty() && !there.localName.empty();
      edges_[i].request = std::make_unique<StreamRequest>(
          Service::running(), key, firstRank_[place], there, directory_.secret,
          local ? Switchboard::Via::local : Switchboard::Via::tcp, deadline_,
          [self = shared_from_this(), i](Result<UniqueFd> fd) { self->connected(i, std::move(fd)); });
    }
  }

  void connected(std::size_t edge, Result<UniqueFd> fd) {
    if (!fd.ok()) return fail(std::move(fd).error().within("subset"));
    edges_[edge].fd = std::move(fd).value();
    // Not from here: this may be called while the request is still being made.
    if (--missing_ == 0) Service::running().post([self = shared_from_this()] { self->complete(); });
  }

  void complete() {
    TreePlace place;
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      edges_[i].request.reset();
      TreeEdge edge{Channel::create(Service::running(), std::move(edges_[i].fd), {}), edges_[i].process};
      if (hasParent_ && i == 0) {
        place.parent = std::move(edge);
      } else {
        place.children.push_back(std::move(edge));
      }
    }
    edges_.clear();
    settle(GroupSession::create(directory_, number_, std::move(place)));
  }

  void fail(Error error) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::move(error);
      changed_.notify_all();
    }
    Service::running().post([self = shared_from_this()] { self->edges_.clear(); });
  }

  void settle(std::shared_ptr<Session> session) {
    const std::lock_guard lock(mutex_);
    session_ = std::move(session);
    changed_.notify_all();
  }

  const Directory directory_;
  const std::uint64_t number_;
  const Deadline deadline_;
  std::vector<Rank> firstRank_;  ///< by process
  std::size_t members_ = 0;      ///< in this process

  std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<Session> session_;
  std::size_t taken_ = 0;
  std::optional<Error> error_;

  // Service thread.
  std::vector<Edge> edges_;
  bool hasParent_ = false;
  std::size_t missing_ = 0;
};

Result<std::shared_ptr<Session>> GroupSession::subset(Rank me, std::span<const Rank> members, std::uint64_t serial,
                                                      Deadline deadline) {
  ATOLL_TRY(checkMembers(directory_, me, members));
  const std::uint64_t number = hashBytes(members.data(), members.size_bytes(), hashCombine(communicator_, serial));
  std::shared_ptr<SubsetForming> forming;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    auto& entry = subsets_[number];
    first = entry == nullptr;
    if (first) entry = std::make_shared<SubsetForming>(directoryOf(directory_, members), number, deadline);
    forming = entry;
  }
  if (first) forming->start();
  auto session = forming->wait(deadline);
  if (session.ok()) {
    const auto newRank = static_cast<Rank>(std::find(members.begin(), members.end(), me) - members.begin());
    // Everybody is here only when the whole tree is.
    if (auto all = (*session)->allGather(newRank, {}, deadline); !all.ok())
      session = std::move(all).error().within("subset");
  }
  const std::lock_guard lock(mutex_);
  const auto entry = subsets_.find(number);
  if (entry != subsets_.end() && entry->second == forming) subsets_.erase(entry);
  return session;
}

}  // namespace atl
