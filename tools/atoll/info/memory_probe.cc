// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/info/memory_probe.h"

#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <fstream>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <vector>

#include "atoll/atoll.h"
#include "src/base/clock.h"

namespace atl::tools {
namespace {

std::uint64_t residentBytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// What the threads share. The first error is kept; the others mostly follow from it.
struct Shared {
  explicit Shared(Rank ranks) : held(static_cast<std::size_t>(ranks)), step(ranks) {}

  void fail(Rank rank, atollComm_t comm, const char* what) {
    const std::scoped_lock lock(mutex);
    if (!error) {
      error = makeError(ErrorCode::internalError, "rank {}: {}: {}", rank, what, atollGetLastError(comm));
    }
  }

  std::mutex mutex;
  std::optional<Error> error;
  std::vector<std::uint64_t> held;
  std::barrier<> step;  ///< every thread comes to every step, whatever failed
};

void runRank(Rank rank, Rank ranks, const atollUniqueId& id, Shared& shared, MemoryReport& report,
             Clock::time_point begin) {
  atollComm_t comm = nullptr;
  if (atollCommInitRank(&comm, ranks, id, rank) != atollSuccess) shared.fail(rank, nullptr, "joining");
  shared.step.arrive_and_wait();
  if (rank == 0) report.initSeconds = seconds(Clock::now() - begin);

  const auto callBegin = Clock::now();
  double value = rank + 1.0;
  if (comm != nullptr) {
    if (atollAllReduce(&value, &value, 1, atollDouble, atollSum, comm, nullptr) != atollSuccess) {
      shared.fail(rank, comm, "all-reduce");
    } else if (value != ranks * (ranks + 1.0) / 2) {
      shared.fail(rank, comm, "the all-reduce gave a wrong sum");
    }
  }
  shared.step.arrive_and_wait();
  if (rank == 0) {
    report.firstCallSeconds = seconds(Clock::now() - callBegin);
    report.residentPerRank = residentBytes();
  }
  atollCommStats_t stats = {};
  stats.size = sizeof stats;
  if (comm != nullptr && atollCommGetStats(comm, &stats) == atollSuccess) {
    shared.held[static_cast<std::size_t>(rank)] = stats.bytesHeld;
  }
  shared.step.arrive_and_wait();
  if (comm != nullptr) atollCommDestroy(comm);
}

}  // namespace

Result<MemoryReport> probeMemory(Rank ranks) {
  atollUniqueId id;
  if (atollGetUniqueId(&id) != atollSuccess) {
    return makeError(ErrorCode::systemError, "opening a rendezvous: {}", atollGetLastError(nullptr));
  }
  MemoryReport report;
  Shared shared(ranks);
  const std::uint64_t before = residentBytes();
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> threads;
    for (Rank rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] { runRank(rank, ranks, id, shared, report, begin); });
    }
  }
  if (shared.error) return *std::move(shared.error);
  const auto count = static_cast<std::uint64_t>(ranks);
  report.residentPerRank = (report.residentPerRank - std::min(report.residentPerRank, before)) / count;
  report.heldMean = std::accumulate(shared.held.begin(), shared.held.end(), std::uint64_t{0}) / count;
  report.heldMost = std::ranges::max(shared.held);
  return report;
}

}  // namespace atl::tools
