// SPDX-License-Identifier: Apache-2.0
// Unequal blocks whose sums are equal: the block from rank s to rank d is in proportion to 1 + (s + d) mod n. The
// proportions are a Latin square, so every rank sends and receives the same total, and every block size occurs.
#include <vector>

#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

/// `unit` is the smallest block. `count` of a Job is the sum of a rank's blocks.
std::size_t unitsPerRank(int ranks) {
  const auto n = static_cast<std::size_t>(ranks);
  return n * (n + 1) / 2;
}

std::size_t countFor(std::size_t elements, int ranks) {
  return elements / unitsPerRank(ranks) * unitsPerRank(ranks);
}

std::size_t blockBetween(const Job& job, int from, int to) {
  const std::size_t unit = job.count / unitsPerRank(job.ranks);
  return unit * static_cast<std::size_t>(1 + (from + to) % job.ranks);
}

Content between(int from, int to, int ranks) {
  return Content::message(static_cast<std::uint64_t>(from) * static_cast<std::uint64_t>(ranks) +
                          static_cast<std::uint64_t>(to));
}

Layout input(const Job& job) {
  Layout layout;
  std::size_t at = 0;
  for (int to = 0; to < job.ranks; ++to) {
    layout.push_back({at, blockBetween(job, job.rank, to), between(job.rank, to, job.ranks)});
    at += layout.back().count;
  }
  return layout;
}

Layout output(const Job& job) {
  Layout layout;
  std::size_t at = 0;
  for (int from = 0; from < job.ranks; ++from) {
    layout.push_back({at, blockBetween(job, from, job.rank), between(from, job.rank, job.ranks)});
    at += layout.back().count;
  }
  return layout;
}

/// Counts and displacements as the call wants them.
struct Blocks {
  explicit Blocks(const Layout& layout) {
    for (const Piece& piece : layout) {
      counts.push_back(piece.count);
      displacements.push_back(piece.offset);
    }
  }
  std::vector<std::size_t> counts;
  std::vector<std::size_t> displacements;
};

Issue bind(const Job& job) {
  return [sent = Blocks(input(job)), received = Blocks(output(job))](const Call& call, int) {
    return atollAllToAllV(call.send, sent.counts.data(), sent.displacements.data(), call.recv, received.counts.data(),
                          received.displacements.data(), call.type, call.comm, call.stream);
  };
}

}  // namespace

const Collective& allToAllV() {
  static const Collective collective{
      .program = "alltoallv_perf",
      .what = "Measures all-to-all with unequal blocks: 1, 2, … n units from each rank to the others, in turn.",
      .countFor = countFor,
      .sizeOf = common::wholeBuffer,
      .busFactor = common::othersShare,
      .input = input,
      .output = output,
      .bind = bind,
  };
  return collective;
}

}  // namespace atl::perf
