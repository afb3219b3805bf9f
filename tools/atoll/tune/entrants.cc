// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/tune/entrants.h"

#include <algorithm>
#include <string>

namespace atl::tools {
namespace {

/// A communicator for each member of the team, whose calls run the algorithms that are named.
Result<std::unique_ptr<perf::Team>> splitFor(const perf::Team& team, const std::string& algorithms) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  config.algorithms = algorithms.c_str();
  std::vector<perf::Member> members(team.members().begin(), team.members().end());
  for (perf::Member& member : members) member.comm = nullptr;
  ATOLL_TRY(team.each("split", [&](std::size_t i) {
    return atollCommSplit(team.members()[i].comm, 0, members[i].rank, &members[i].comm, &config);
  }));
  return std::make_unique<perf::Team>(std::move(members), team.ranks());
}

}  // namespace

Result<Entrants> Entrants::make(const perf::Team& team, const std::vector<Collective>& collectives) {
  Entrants made;
  made.ranks_ = team.ranks();
  ATOLL_ASSIGN(made.free_, splitFor(team, ""));
  for (const plan::Algorithm& algorithm : plan::catalogue()) {
    const bool wanted = std::any_of(collectives.begin(), collectives.end(),
                                    [&](Collective c) { return algorithm.serves(c, team.ranks(), false); });
    if (!wanted || algorithm.phases != nullptr) continue;
    ATOLL_ASSIGN(auto forced, splitFor(team, std::string(algorithm.name)));
    made.entrants_.push_back({&algorithm, std::move(forced)});
  }
  return made;
}

std::vector<const Entrant*> Entrants::of(Collective collective) const {
  std::vector<const Entrant*> serving;
  for (const Entrant& entrant : entrants_) {
    if (entrant.algorithm->serves(collective, ranks_, false)) serving.push_back(&entrant);
  }
  return serving;
}

Result<BuiltInChoice> Entrants::builtIn(Collective collective, std::uint64_t bytes) const {
  const atollComm_t comm = free_->members()[0].comm;
  atollChoice_t choice{};
  choice.size = sizeof choice;
  ATOLL_TRY(perf::checked(atollCommGetChoice(comm, std::string(nameOf(collective)).c_str(), bytes, &choice),
                          "asking for the built-in choice", comm));
  const std::string_view name = choice.model;
  return BuiltInChoice{plan::algorithmNamed(name), {ranks_, choice.hosts, choice.links}};
}

Status Entrants::close() {
  Status status = free_->close();
  for (Entrant& entrant : entrants_) {
    Status closed = entrant.team->close();
    if (status.ok()) status = std::move(closed);
  }
  return status;
}

}  // namespace atl::tools
