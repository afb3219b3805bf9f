// SPDX-License-Identifier: Apache-2.0
// An all-gather made of sends and receives along the edges of a hypercube: in round k a rank exchanges all that it
// holds, 2^k blocks, with the rank whose number differs in bit k.
#include "bench/perf/collectives/collectives.h"

namespace atl::perf {
namespace {

int dimensions(int ranks) {
  int bits = 0;
  while ((1 << bits) < ranks) ++bits;
  return bits;
}

/// Round 0 takes the rank's own block from the send buffer to its place; the others are the dimensions.
int rounds(int ranks) {
  return 1 + dimensions(ranks);
}

std::string_view refuses(int ranks) {
  return (1 << dimensions(ranks)) == ranks ? "" : "a hypercube needs a power of two";
}

Content blockOfRank(int rank) {
  return Content::message(static_cast<std::uint64_t>(rank));
}

Layout input(const Job& job) {
  return {{0, job.count, blockOfRank(job.rank)}};
}

Layout output(const Job& job) {
  Layout layout;
  for (int r = 0; r < job.ranks; ++r) layout.push_back({common::blockStart(job, r), job.count, blockOfRank(r)});
  return layout;
}

InPlace inPlace(const Job& job) {
  return {.sendOffset = common::blockStart(job, job.rank), .recvOffset = 0};
}

/// A run of blocks of the receive buffer.
std::byte* blocksFrom(const Job& job, const Call& call, int firstBlock) {
  const std::size_t elementBytes = atl::sizeOf(static_cast<DataType>(call.type));
  return static_cast<std::byte*>(call.recv) + common::blockStart(job, firstBlock) * elementBytes;
}

atollResult_t exchange(const void* send, void* recv, std::size_t count, int peer, const Call& call) {
  atollResult_t result = atollGroupStart();
  if (result != atollSuccess) return result;
  result = atollSend(send, count, call.type, peer, call.comm, call.stream);
  if (result == atollSuccess) result = atollRecv(recv, count, call.type, peer, call.comm, call.stream);
  const atollResult_t ended = atollGroupEnd();
  return result == atollSuccess ? ended : result;
}

atollResult_t issueRound(const Job& job, const Call& call, int round) {
  if (round == 0) {
    void* const own = blocksFrom(job, call, job.rank);
    return own == call.send ? atollSuccess : exchange(call.send, own, job.count, job.rank, call);
  }
  const int held = 1 << (round - 1);
  const int peer = job.rank ^ held;
  const int mine = job.rank & ~(held - 1);
  const int theirs = peer & ~(held - 1);
  return exchange(blocksFrom(job, call, mine), blocksFrom(job, call, theirs),
                  job.count * static_cast<std::size_t>(held), peer, call);
}

Issue bind(const Job& job) {
  return [job](const Call& call, int round) { return issueRound(job, call, round); };
}

}  // namespace

const Collective& hypercube() {
  static const Collective collective{
      .program = "hypercube_perf",
      .what =
          "Measures sends and receives along the edges of a hypercube, which together gather every rank's block "
          "everywhere.",
      .countFor = common::blockOf,
      .sizeOf = common::allBlocks,
      .busFactor = common::othersShare,
      .input = input,
      .output = output,
      .inPlace = inPlace,
      .bind = bind,
      .rounds = rounds,
      .refuses = refuses,
  };
  return collective;
}

}  // namespace atl::perf
