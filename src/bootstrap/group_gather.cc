// SPDX-License-Identifier: Apache-2.0
// GroupSession's allGather: shares are merged on their way up the tree, the table comes down.
#include <algorithm>
#include <cstring>

#include "src/bootstrap/group_session.h"
#include "src/bootstrap/rank_list.h"

namespace atl {
namespace {

constexpr std::size_t kMostShare = 1 << 20;

template <class Visit>
void forEachShare(std::span<const std::byte> shares, std::uint32_t size, Visit visit) {
  const std::size_t step = sizeof(Rank) + size;
  for (std::size_t at = 0; at + step <= shares.size(); at += step) {
    Rank rank = 0;
    std::memcpy(&rank, shares.data() + at, sizeof rank);
    visit(rank, shares.subspan(at + sizeof rank, size));
  }
}

}  // namespace

Result<std::vector<std::byte>> GroupSession::allGather(Rank me, std::span<const std::byte> mine, Deadline deadline) {
  Local* const here = local(me);
  if (here == nullptr) return makeError(ErrorCode::invalidArgument, "allGather: rank {} is not of this process", me);
  if (mine.size() > kMostShare) {
    return makeError(ErrorCode::invalidArgument, "allGather: {} bytes a rank, at most {} are allowed", mine.size(),
                     kMostShare);
  }
  const std::uint64_t sequence = ++here->gathers;
  std::unique_lock lock(mutex_);
  if (failure_) return *failure_;
  Gather& gather = gatherOf(sequence);
  setSize(gather, static_cast<std::uint32_t>(mine.size()), directory_.name(me));
  const auto* const rankBytes = reinterpret_cast<const std::byte*>(&me);
  gather.shares.insert(gather.shares.end(), rankBytes, rankBytes + sizeof me);
  gather.shares.insert(gather.shares.end(), mine.begin(), mine.end());
  ++gather.localShares;
  if (subtreeComplete(gather)) {
    if (alone_) {
      assemble(gather);
      gather.done = true;
      gather.changed.notify_all();
    } else {
      Service::running().post([self = shared_from_this(), sequence] { self->subtreeGathered(sequence); });
    }
  }
  const auto settled = [&] { return gather.done || failure_.has_value(); };
  if (deadline.isNever()) {
    gather.changed.wait(lock, settled);
  } else if (!gather.changed.wait_until(lock, deadline.at(), settled)) {
    Error late = makeError(ErrorCode::timeout, "exchange #{} between the ranks did not end within the time limit: {}",
                           sequence, missingShares(gather));
    if (!failure_) failure_ = late;  // without this rank's patience no later exchange can be in step either
    for (const auto& [other, pending] : gathers_) pending->changed.notify_all();
    return late;
  }
  if (!gather.done) return *failure_;
  const auto table = gather.table;
  std::string error = gather.error;
  if (++gather.taken == localRanks_.size()) gathers_.erase(sequence);
  lock.unlock();
  if (!error.empty()) return makeError(ErrorCode::mismatch, "{}", error);
  return std::vector<std::byte>(*table);
}

GroupSession::Gather& GroupSession::gatherOf(std::uint64_t sequence) {
  auto& gather = gathers_[sequence];
  if (!gather) gather = std::make_unique<Gather>();
  return *gather;
}

void GroupSession::setSize(Gather& gather, std::uint32_t size, std::string_view whose) {
  if (!std::exchange(gather.sized, true)) gather.size = size;
  if (gather.size == size || !gather.error.empty()) return;
  gather.error = fmt::format("ranks exchange tables of different sizes: {} bytes and, from {}, {} bytes", gather.size,
                             whose, size);
}

bool GroupSession::subtreeComplete(const Gather& gather) const {
  return gather.localShares == localRanks_.size() && gather.childrenIn.size() == childCount_;
}

/// With every share of the whole group in `shares`.
void GroupSession::assemble(Gather& gather) {
  const auto ranks = static_cast<std::size_t>(directory_.ranks());
  auto table = std::make_shared<Bytes>();
  if (gather.error.empty()) {
    table->resize(ranks * gather.size);
    std::vector<bool> seen(ranks, false);
    std::size_t count = 0;
    forEachShare(gather.shares, gather.size, [&](Rank rank, std::span<const std::byte> share) {
      if (rank < 0 || static_cast<std::size_t>(rank) >= ranks || seen[static_cast<std::size_t>(rank)]) return;
      seen[static_cast<std::size_t>(rank)] = true;
      ++count;
      if (!share.empty())
        std::memcpy(table->data() + static_cast<std::size_t>(rank) * gather.size, share.data(), share.size());
    });
    if (count != ranks) gather.error = fmt::format("an exchange brought the shares of {} of {} ranks", count, ranks);
  }
  gather.table = std::move(table);
  gather.shares = Bytes();
}

/// On the service thread: this process's ranks and all subtrees below have given their shares.
void GroupSession::subtreeGathered(std::uint64_t sequence) {
  Channel::Body down;
  {
    const std::lock_guard lock(mutex_);
    const auto found = gathers_.find(sequence);
    if (found == gathers_.end()) return;
    Gather& gather = *found->second;
    if (place_.parent) {
      GatherUp up;
      up.sequence = sequence;
      up.size = gather.size;
      up.error = gather.error;
      if (up.error.empty()) up.shares = std::move(gather.shares);
      gather.shares = Bytes();
      place_.parent->channel->send(MessageType::gatherUp, encode(up));
      return;
    }
    if (failure_) return;
    assemble(gather);
    down = std::make_shared<const Bytes>(encode(GatherDown{sequence, gather.size, gather.error, *gather.table}));
  }
  gathered(sequence, down);
}

/// On the service thread: sends the table down, and then gives it to the ranks here, so that nothing they do next
/// overtakes it.
void GroupSession::gathered(std::uint64_t sequence, const Channel::Body& down) {
  for (const auto& child : place_.children) child.channel->send(MessageType::gatherDown, down);
  const std::lock_guard lock(mutex_);
  const auto found = gathers_.find(sequence);
  if (found == gathers_.end()) return;
  if (localRanks_.empty()) {
    gathers_.erase(found);
    return;
  }
  found->second->done = true;
  found->second->changed.notify_all();
}

Status GroupSession::onGatherUp(const Channel& channel, std::span<const std::byte> body) {
  ATOLL_ASSIGN(const auto up, decodeGatherUp(body));
  const auto child = std::find_if(place_.children.begin(), place_.children.end(),
                                  [&](const auto& e) { return e.channel.get() == &channel; });
  if (child == place_.children.end()) return makeError(ErrorCode::mismatch, "shares of an exchange come from above");
  bool complete = false;
  {
    const std::lock_guard lock(mutex_);
    Gather& gather = gatherOf(up.sequence);
    auto& in = gather.childrenIn;
    if (std::find(in.begin(), in.end(), child->process) != in.end()) {
      return makeError(ErrorCode::mismatch, "the shares of exchange #{} come twice", up.sequence);
    }
    in.push_back(child->process);
    if (up.error.empty()) {
      setSize(gather, up.size, directory_.processes[child->process].hostName);
      gather.shares.insert(gather.shares.end(), up.shares.begin(), up.shares.end());
    } else if (gather.error.empty()) {
      gather.error = up.error;
    }
    complete = subtreeComplete(gather);
  }
  if (complete) subtreeGathered(up.sequence);
  return success();
}

Status GroupSession::onGatherDown(std::span<const std::byte> body) {
  ATOLL_ASSIGN(auto message, decodeGatherDown(body));
  const auto ranks = static_cast<std::size_t>(directory_.ranks());
  if (message.error.empty() && message.table.size() != ranks * message.size) {
    return makeError(ErrorCode::mismatch, "the table of exchange #{} has {} bytes, not {} for each of {} ranks",
                     message.sequence, message.table.size(), message.size, ranks);
  }
  {
    const std::lock_guard lock(mutex_);
    Gather& gather = gatherOf(message.sequence);
    gather.error = std::move(message.error);
    gather.table = std::make_shared<const Bytes>(std::move(message.table));
  }
  gathered(message.sequence, std::make_shared<const Bytes>(body.begin(), body.end()));
  return success();
}

std::string GroupSession::missingShares(const Gather& gather) const {
  if (gather.localShares < localRanks_.size()) {
    std::vector<Rank> missing = localRanks_;
    forEachShare(gather.shares, gather.size, [&](Rank rank, auto) { std::erase(missing, rank); });
    return fmt::format("{} of this process did not take part", textOfRanks(missing));
  }
  if (gather.childrenIn.size() < childCount_) {
    // Which children there were is known on the service thread only; how many is enough to look further.
    return fmt::format("{} of the {} processes below this one in the tree did not answer",
                       childCount_ - gather.childrenIn.size(), childCount_);
  }
  return "the ranks of this process did their part, others did not";
}

}  // namespace atl
