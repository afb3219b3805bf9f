// SPDX-License-Identifier: Apache-2.0
#include "src/bootstrap/assembly.h"

#include "src/bootstrap/rank_list.h"

namespace atl {

void Assembly::addProcess(const ProcessInfo& process) {
  const auto [place, isNew] = places_.try_emplace(process.id, static_cast<std::uint32_t>(processes_.size()));
  if (isNew) processes_.push_back(process);
}

Status Assembly::addRank(std::uint64_t processId, Rank rank, Rank ranks) {
  const auto found = places_.find(processId);
  if (found == places_.end())
    return makeError(ErrorCode::mismatch, "rank {} came from a process that has not been announced", rank);
  const std::uint32_t process = found->second;
  if (ranks < 1)
    return makeError(ErrorCode::invalidArgument, "{} was started for {} ranks", nameOf(rank, process), ranks);
  if (ranks_ == 0) {
    ranks_ = ranks;
    firstRank_ = rank;
    firstProcess_ = process;
    processOf_.assign(static_cast<std::size_t>(ranks), kNobody);
  }
  if (ranks != ranks_) {
    return makeError(ErrorCode::mismatch, "{} was started for {} ranks, {} for {}", nameOf(rank, process), ranks,
                     nameOf(firstRank_, firstProcess_), ranks_);
  }
  if (rank < 0 || rank >= ranks) {
    return makeError(ErrorCode::invalidArgument, "{} is out of range: there are {} ranks, from 0",
                     nameOf(rank, process), ranks);
  }
  auto& owner = processOf_[static_cast<std::size_t>(rank)];
  if (owner != kNobody) {
    const auto& before = processes_[owner];
    const auto& now = processes_[process];
    return makeError(ErrorCode::invalidArgument, "rank {} came twice: from host {}, pid {}, and from host {}, pid {}",
                     rank, before.hostName, before.pid, now.hostName, now.pid);
  }
  owner = process;
  ++present_;
  return success();
}

std::string Assembly::missing() const {
  if (ranks_ == 0) return "the ranks";
  std::vector<Rank> absent;
  for (Rank rank = 0; rank < ranks_; ++rank) {
    if (processOf_[static_cast<std::size_t>(rank)] == kNobody) absent.push_back(rank);
  }
  return fmt::format("{} of {}", textOfRanks(absent), ranks_);
}

Directory Assembly::directory(const Secret& secret) const {
  Directory directory;
  directory.processes = processes_;
  directory.processOf = processOf_;
  directory.secret = secret;
  return directory;
}

std::string Assembly::nameOf(std::uint64_t processId) const {
  const auto found = places_.find(processId);
  if (found == places_.end()) return "a process";
  const auto& process = processes_[found->second];
  std::vector<Rank> ranks;
  for (Rank rank = 0; rank < ranks_; ++rank) {
    if (processOf_[static_cast<std::size_t>(rank)] == found->second) ranks.push_back(rank);
  }
  const std::string place = fmt::format("host {}, pid {}", process.hostName, process.pid);
  return ranks.empty() ? place : fmt::format("{} ({})", textOfRanks(ranks), place);
}

std::string Assembly::nameOf(Rank rank, std::uint32_t process) const {
  return fmt::format("rank {} (host {}, pid {})", rank, processes_[process].hostName, processes_[process].pid);
}

}  // namespace atl
