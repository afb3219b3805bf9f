// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/launch.h"

#include <unistd.h>

#include <cstring>

namespace atl::perf {
namespace {

/// A rank as it travels to the others.
struct RankRecord {
  std::int32_t process = 0;
  std::int32_t device = -1;
  std::int64_t pid = 0;
  char host[64] = {};
};

}  // namespace

Result<World> enterWorld(const Options& options) {
  World world;
  world.threads = options.threads;
  world.ranksPerThread = options.ranksPerThread;
  ATOLL_TRY(
      checked(atollGetUniqueIdFromEnv(&world.id, &world.process, &world.processes), "asking the launcher", nullptr));
  return world;
}

Result<std::vector<Team>> makeTeams(const World& world, const Options& options, int firstThread, int threads) {
  atollConfig_t config = ATOLL_CONFIG_INITIALIZER;
  if (options.timeoutSeconds >= 0) config.timeout = options.timeoutSeconds;
  const int first = world.firstRankOf(firstThread);
  const int count = threads * world.ranksPerThread;
  std::vector<atollComm_t> comms(static_cast<std::size_t>(count), nullptr);

  // A group, for one thread could not bring the second rank of a communicator while it waits with the first.
  if (count > 1) ATOLL_TRY(checked(atollGroupStart(), "group start", nullptr));
  Status status = success();
  for (int i = 0; i < count && status.ok(); ++i) {
    status = checked(
        atollCommInitRankConfig(&comms[static_cast<std::size_t>(i)], world.ranks(), world.id, first + i, &config),
        fmt::format("joining as rank {} of {}", first + i, world.ranks()), nullptr);
  }
  if (count > 1) {
    Status ended =
        checked(atollGroupEnd(),
                fmt::format("joining as ranks {} to {} of {}", first, first + count - 1, world.ranks()), nullptr);
    if (status.ok()) status = std::move(ended);
  }
  ATOLL_TRY(std::move(status));

  std::vector<Team> teams;
  for (int t = 0; t < threads; ++t) {
    std::vector<Member> members;
    for (int g = 0; g < world.ranksPerThread; ++g) {
      const int i = t * world.ranksPerThread + g;
      members.push_back({first + i, comms[static_cast<std::size_t>(i)], nullptr});
    }
    teams.emplace_back(std::move(members), world.ranks());
  }
  if (options.stream) {
    for (Team& team : teams) ATOLL_TRY(team.openStreams());
  }
  return teams;
}

Result<std::vector<RankInfo>> describeRanks(const World& world, const Team& team) {
  std::vector<RankRecord> mine(team.members().size());
  for (std::size_t i = 0; i < mine.size(); ++i) {
    RankRecord& record = mine[i];
    record.process = world.process;
    record.pid = ::getpid();
    ::gethostname(record.host, sizeof record.host - 1);
    int device = -1;
    ATOLL_TRY(
        checked(atollCommDevice(team.members()[i].comm, &device), "asking for the device", team.members()[i].comm));
    record.device = device;
  }
  ATOLL_ASSIGN(const auto bytes, team.gather(std::as_bytes(std::span(mine)), sizeof(RankRecord)));
  std::vector<RankInfo> ranks;
  for (int r = 0; r < team.ranks(); ++r) {
    RankRecord record;
    std::memcpy(&record, bytes.data() + static_cast<std::size_t>(r) * sizeof record, sizeof record);
    record.host[sizeof record.host - 1] = '\0';
    ranks.push_back({r, record.process, record.pid, record.host, record.device});
  }
  return ranks;
}

}  // namespace atl::perf
