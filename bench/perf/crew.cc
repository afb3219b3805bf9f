// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/crew.h"

#include <mutex>
#include <thread>

namespace atl::perf {
namespace {

/// The first error of all threads. From any thread.
class Outcome {
 public:
  void failed(Error error) {
    const std::lock_guard lock(mutex_);
    if (status_.ok()) status_ = std::move(error);
  }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  std::mutex mutex_;
  Status status_ = success();
};

Status runTeam(Team& team, int thread, const CrewPart& part) {
  ATOLL_TRY(part(team, thread));
  return team.close();
}

/// A thread's whole part: its communicators, if they are not made yet, then its work.
void runThread(const World& world, const Options& options, int thread, std::vector<Team>& teams, const CrewPart& part,
               Outcome& outcome) {
  std::vector<Team> own;
  if (options.parallelInit) {
    auto made = makeTeams(world, options, thread, 1);
    if (!made.ok()) return outcome.failed(std::move(made).error());
    own = std::move(made).value();
  }
  Team& team = options.parallelInit ? own[0] : teams[static_cast<std::size_t>(thread)];
  auto status = runTeam(team, thread, part);
  if (status.ok()) return;
  outcome.failed(std::move(status).error());
  team.abort();
}

}  // namespace

Status runCrew(const World& world, const Options& options, const CrewPart& part) {
  std::vector<Team> teams;
  if (!options.parallelInit) {
    ATOLL_ASSIGN(teams, makeTeams(world, options, 0, options.threads));
  }
  Outcome outcome;
  std::vector<std::thread> threads;
  for (int t = 1; t < options.threads; ++t) {
    threads.emplace_back([&, t] { runThread(world, options, t, teams, part, outcome); });
  }
  runThread(world, options, 0, teams, part, outcome);
  for (std::thread& thread : threads) thread.join();
  return outcome.status();
}

}  // namespace atl::perf
