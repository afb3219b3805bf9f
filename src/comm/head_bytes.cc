// SPDX-License-Identifier: Apache-2.0
#include "src/comm/head_bytes.h"

namespace atl {
namespace {

constexpr std::size_t kSmallestHead = 64;
/// Past this a block's bytes cost more than its message does, on any link.
constexpr std::size_t kLargestHead = 4096;

bool takesUnequalBlocks(const plan::Candidate& candidate) {
  return candidate.algorithm->servesUnequalBlocks(Collective::allToAll);
}

}  // namespace

Result<std::size_t> headBytesFor(const Choosing& choosing, Rank ranks) {
  plan::Choice heads;
  heads.collective = Collective::allToAll;
  heads.ranks = ranks;
  plan::Choice whole = heads;
  whole.unequalBlocks = true;
  heads.bytes = kSmallestHead * static_cast<std::uint64_t>(ranks);
  ATOLL_ASSIGN(const plan::Decision smallest, choosing.decide(heads));
  if (ranks == 1 || takesUnequalBlocks(smallest.taken())) return std::size_t{0};
  if (smallest.by == plan::Decision::By::user) return kSmallestHead;

  ATOLL_ASSIGN(const plan::Decision direct, choosing.decide(whole));
  if (smallest.taken().seconds > direct.taken().seconds) return std::size_t{0};
  const double limit = (smallest.taken().seconds + direct.taken().seconds) / 2;
  std::size_t bytes = kSmallestHead;
  for (std::size_t tried = 2 * kSmallestHead; tried <= kLargestHead; tried *= 2) {
    heads.bytes = tried * static_cast<std::uint64_t>(ranks);
    ATOLL_ASSIGN(const plan::Decision decision, choosing.decide(heads));
    if (takesUnequalBlocks(decision.taken()) || decision.taken().seconds > limit) break;
    bytes = tried;
  }
  return bytes;
}

}  // namespace atl
