// SPDX-License-Identifier: Apache-2.0
#include "src/plan/algorithms/peers.h"

namespace atl::plan {

std::vector<Rank> others(Rank me, Rank n) {
  std::vector<Rank> ranks;
  ranks.reserve(static_cast<std::size_t>(n - 1));
  for (Rank distance = 1; distance < n; ++distance) ranks.push_back((me + distance) % n);
  return ranks;
}

std::vector<Operand> everyRanks(const Chunk& own, Rank me, Rank n) {
  std::vector<Operand> operands;
  operands.reserve(static_cast<std::size_t>(n));
  for (Rank rank = 0; rank < n; ++rank) operands.push_back(rank == me ? local(own) : from(rank));
  return operands;
}

}  // namespace atl::plan
