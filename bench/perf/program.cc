// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/program.h"

#include <atomic>
#include <cstdio>

#include "bench/perf/crew.h"
#include "bench/perf/launch.h"
#include "bench/perf/leader.h"
#include "bench/perf/options.h"
#include "bench/perf/sweeper.h"
#include "bench/perf/whole_file.h"

namespace atl::perf {
namespace {

/// One thread's part: the whole sweep. The number of wrong elements, the same on every rank.
Result<std::uint64_t> sweep(const Collective& collective, const Options& options, const World& world, Team& team,
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
  Sweeper sweeper(collective, options, world, team, leader != nullptr ? &observer : nullptr);
  return sweeper.run();
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
    if (const Status status = probeWhole(options.jsonFile); !status.ok())
      return fail(collective, status.error(), kExitFailed);
  }

  Leader leader(collective);
  std::atomic<std::uint64_t> wrong = 0;
  const Status status = runCrew(*world, options, [&](Team& team, int thread) -> Status {
    Leader* const leads = world->process == 0 && thread == 0 ? &leader : nullptr;
    ATOLL_ASSIGN(wrong, sweep(collective, options, *world, team, leads));
    return success();
  });
  if (!status.ok()) return fail(collective, status.error(), kExitFailed);
  if (!leader.status().ok()) return fail(collective, leader.status().error(), kExitFailed);
  return wrong == 0 ? 0 : kExitFailed;
}

}  // namespace atl::perf
