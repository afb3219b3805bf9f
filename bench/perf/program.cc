// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/program.h"

#include <cstdio>
#include <mutex>
#include <thread>

#include "bench/perf/launch.h"
#include "bench/perf/leader.h"
#include "bench/perf/options.h"
#include "bench/perf/sweeper.h"

namespace atl::perf {
namespace {

/// What the threads have come to: the first error, and the number of wrong elements. From any thread.
class Outcome {
 public:
  void failed(Error error) {
    const std::lock_guard lock(mutex_);
    if (status_.ok()) status_ = std::move(error);
  }
  void finished(std::uint64_t wrong) {
    const std::lock_guard lock(mutex_);
    wrong_ = wrong;
  }
  [[nodiscard]] const Status& status() const { return status_; }
  [[nodiscard]] std::uint64_t wrong() const { return wrong_; }

 private:
  std::mutex mutex_;
  Status status_ = success();
  std::uint64_t wrong_ = 0;
};

/// One thread's part from its team to the end.
Result<std::uint64_t> runTeam(const Collective& collective, const Options& options, const World& world, Team& team,
                              Leader* leader) {
  Observer observer;
  if (leader != nullptr) {
    observer.begun = [&](const Options& inForce, const std::vector<RankInfo>& ranks) {
      leader->begin(options, inForce, ranks);
    };
    observer.sizeBegun = [leader](std::uint64_t bytes) { leader->sizeBegun(bytes); };
    observer.sizeDone = [leader](const Row& row) { leader->sizeDone(row); };
    observer.cycleDone = [leader] { leader->cycleDone(); };
  }
  std::uint64_t wrong = 0;
  {
    Sweeper sweeper(collective, options, world, team, leader != nullptr ? &observer : nullptr);
    ATOLL_ASSIGN(wrong, sweeper.run());
  }  // the buffers' registrations end before the communicators do
  ATOLL_TRY(team.close());
  return wrong;
}

/// A thread's whole part: its communicators, if they are not made yet, then the sweep. An error ends the other ranks
/// too.
void runThread(const Collective& collective, const Options& options, const World& world, int thread,
               std::vector<Team>& teams, Leader* leader, Outcome& outcome) {
  std::vector<Team> own;
  if (options.parallelInit) {
    auto made = makeTeams(world, options, thread, 1);
    if (!made.ok()) return outcome.failed(std::move(made).error());
    own = std::move(made).value();
  }
  Team& team = options.parallelInit ? own[0] : teams[static_cast<std::size_t>(thread)];
  auto wrong = runTeam(collective, options, world, team, leader);
  if (wrong.ok()) return outcome.finished(*wrong);
  outcome.failed(std::move(wrong).error());
  team.abort();
}

/// What only the number of ranks can tell to be wrong.
Status checkRanks(const Collective& collective, const Options& options, int ranks) {
  if (collective.rooted && options.root != Options::kAllRoots && options.root >= ranks) {
    return makeError(ErrorCode::invalidArgument, "root {} is not a rank: there are {}", options.root, ranks);
  }
  const std::string_view reason = collective.refuses == nullptr ? "" : collective.refuses(ranks);
  if (!reason.empty()) return makeError(ErrorCode::invalidUsage, "cannot run on {} ranks: {}", ranks, reason);
  return success();
}

int fail(const Collective& collective, const Error& error, int code) {
  fmt::print(stderr, "{}: {}\n", collective.program, error.text);
  return code;
}

}  // namespace

int runProgram(const Collective& collective, int argc, const char* const* argv) {
  const auto parsed = parseOptions(collective, argc, argv);
  if (const auto* exit = std::get_if<EarlyExit>(&parsed)) {
    std::fputs(exit->text.c_str(), exit->code == 0 ? stdout : stderr);
    return exit->code;
  }
  const Options& options = std::get<Options>(parsed);
  auto world = enterWorld(options);
  if (!world.ok()) return fail(collective, world.error(), kExitFailed);
  if (const Status status = checkRanks(collective, options, world->ranks()); !status.ok()) {
    return fail(collective, status.error(), kExitBadUsage);
  }
  if (world->process == 0 && !options.jsonFile.empty()) {
    if (const Status status = JsonReport::probe(options.jsonFile); !status.ok())
      return fail(collective, status.error(), kExitFailed);
  }

  std::vector<Team> teams;
  if (!options.parallelInit) {
    auto made = makeTeams(*world, options, 0, options.threads);
    if (!made.ok()) return fail(collective, made.error(), kExitFailed);
    teams = std::move(made).value();
  }
  Leader leader(collective);
  Outcome outcome;
  const auto body = [&](int thread) {
    Leader* const leads = world->process == 0 && thread == 0 ? &leader : nullptr;
    runThread(collective, options, *world, thread, teams, leads, outcome);
  };
  std::vector<std::thread> threads;
  for (int t = 1; t < options.threads; ++t) threads.emplace_back(body, t);
  body(0);
  for (std::thread& thread : threads) thread.join();

  if (!outcome.status().ok()) return fail(collective, outcome.status().error(), kExitFailed);
  if (!leader.status().ok()) return fail(collective, leader.status().error(), kExitFailed);
  return outcome.wrong() == 0 ? 0 : kExitFailed;
}

}  // namespace atl::perf
