// SPDX-License-Identifier: Apache-2.0
// One rank of a job that runs every algorithm of the catalogue on every collective that it serves, with every datatype,
// operator and place and with odd counts, and checks each element. Prints "rank R of N ok, C cases"; on the first
// wrong element or error it says which case that was, and exits with 1. With the argument "shareable" all buffers lie
// in memory that the other processes can map, with "mixed" those of every other rank.
#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <set>
#include <string_view>

#include "src/bootstrap/environment.h"
#include "tests/support/case_matrix.h"
#include "transports/shareable_memory.h"

namespace atl::test {
namespace {

/// The communicator of all processes of the job.
Result<std::unique_ptr<Communicator>> joinJob(const Settings& settings) {
  ATOLL_ASSIGN(const auto launch, detectLaunch());
  if (!launch) return makeError(ErrorCode::invalidUsage, "no launcher found in the environment");
  const Deadline deadline = Deadline::inSeconds(settings.bootstrapTimeoutSeconds);
  ATOLL_ASSIGN(const UniqueId id, rendezvousFromEnvironment(*launch, settings, deadline));
  ATOLL_ASSIGN(auto session, Session::join(std::span(&id, 1), launch->process, launch->processes, settings, deadline));
  return Communicator::create(std::move(session), launch->process, settings);
}

std::vector<std::size_t> countsFor(Rank ranks) {
  const auto n = static_cast<std::size_t>(ranks);
  const std::set<std::size_t> distinct{0, 1, 13, n - 1, n + 1, 1031};
  return {distinct.begin(), distinct.end()};
}

/// Runs the pair's cases on a communicator of its own that can use no other algorithm, and gives their number.
Result<std::size_t> runPair(Communicator& world, const Served& pair) {
  Settings settings = world.settings();
  settings.algorithms = pair.rule();
  settings.tileBytes = 4096;  // several tiles even at these sizes
  ATOLL_ASSIGN(const auto communicator, world.split(0, world.rank(), settings));
  const auto cases = casesFor(pair.collective, world.ranks(), countsFor(world.ranks()), typesToTry());
  for (const CollectiveCase& c : cases) {
    const auto wrong = runCase(*communicator, c);
    if (wrong) return makeError(ErrorCode::internalError, "{}: {}: {}", pair.algorithm->name, describe(c), *wrong);
  }
  return cases.size();
}

/// Makes every buffer from here on shareable. The area stays until the process ends.
Status useShareableBuffers() {
  constexpr std::size_t kArea = 64 << 20;
  ATOLL_ASSIGN(void* const area, allocateShareable(kArea));
  static std::pmr::monotonic_buffer_resource all(area, kArea, std::pmr::null_memory_resource());
  static std::pmr::unsynchronized_pool_resource pool(&all);
  bufferMemory() = &pool;
  return success();
}

struct Done {
  Rank rank = 0;
  Rank ranks = 0;
  std::size_t cases = 0;
};

Result<Done> runAll(std::string_view buffers) {
  ATOLL_ASSIGN(const Settings settings, Settings::fromEnvironment());
  ATOLL_ASSIGN(const auto world, joinJob(settings));
  if (buffers == "shareable" || (buffers == "mixed" && world->rank() % 2 == 0)) ATOLL_TRY(useShareableBuffers());
  Done done{world->rank(), world->ranks(), 0};
  for (const Served& pair : servedBetween(done.ranks, done.ranks)) {
    ATOLL_ASSIGN(const std::size_t cases, runPair(*world, pair));
    done.cases += cases;
  }
  return done;
}

}  // namespace
}  // namespace atl::test

int main(int argc, char** argv) {
  const auto done = atl::test::runAll(argc > 1 ? argv[1] : "");
  if (!done.ok()) {
    std::fprintf(stderr, "%s\n", done.error().text.c_str());
    return EXIT_FAILURE;
  }
  std::printf("rank %d of %d ok, %zu cases\n", done->rank, done->ranks, done->cases);
  return EXIT_SUCCESS;
}
