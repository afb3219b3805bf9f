// SPDX-License-Identifier: Apache-2.0
#include "src/plan/verify_cells.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "src/plan/notation.h"

namespace atl::plan {
namespace {

BlockRun everyBlock(const Plan& plan) {
  return {0, payloadBlocks(plan.collective, plan.ranks)};
}
BlockRun ownBlock(const Plan& plan) {
  return {plan.rank, 1};
}
BlockRun ifRoot(const Plan& plan) {
  return plan.rank == plan.root ? everyBlock(plan) : BlockRun{};
}

/// Calls look(parts) with every cut that a lane names.
template <class Look>
void everyCut(const Lane& lane, const Look& look) {
  for (const Loop& loop : lane.loops) {
    for (const Round& round : loop.rounds) {
      for (const Step& step : round.steps) {
        look(step.chunk.parts);
        for (const Operand& operand : step.operands) {
          if (!operand.isPeer()) look(operand.chunk.parts);
        }
      }
    }
  }
}

/// Folds the parts that one share's lanes name into cells per block.
struct Cut {
  std::int64_t perBlock = 1;
  std::int32_t firstParts = 0;   ///< 0: none yet
  std::int32_t secondParts = 0;  ///< another number of parts than the first, if there is one
  bool tooFine = false;

  void add(std::int32_t parts, Rank blocks, std::int64_t maxCells) {
    if (parts == firstParts || tooFine) return;
    if (firstParts == 0) {
      firstParts = parts;
    } else {
      secondParts = parts;
    }
    const std::int64_t ofBlock = parts / blocks;
    const std::int64_t factor = ofBlock / std::gcd(perBlock, ofBlock);
    if (perBlock > maxCells / blocks / factor) {
      tooFine = true;
    } else {
      perBlock *= factor;
    }
  }
};

/// What decides a block's size when blocks are unequal. An all-to-all's blocks are of a pair of ranks.
std::pair<Rank, Rank> blockIdentity(const Plan& plan, const Chunk& chunk, std::int32_t part) {
  const Rank block = part / (chunk.parts / payloadBlocks(plan.collective, plan.ranks));
  if (plan.collective != Collective::allToAll) return {block, block};
  return chunk.buffer == Buffer::input ? std::pair{plan.rank, block} : std::pair{block, plan.rank};
}

}  // namespace

BlockRun inputBlocks(const Plan& plan) {
  switch (plan.collective) {
    case Collective::broadcast:
    case Collective::scatter: return ifRoot(plan);
    case Collective::allGather:
    case Collective::gather: return ownBlock(plan);
    default: return everyBlock(plan);
  }
}

BlockRun outputBlocks(const Plan& plan) {
  switch (plan.collective) {
    case Collective::reduce:
    case Collective::gather: return ifRoot(plan);
    case Collective::reduceScatter:
    case Collective::scatter: return ownBlock(plan);
    default: return everyBlock(plan);
  }
}

Result<std::vector<CellGrid>> gridsOf(std::span<const Plan> plans, std::int64_t maxCells) {
  const Plan& first = plans.front();
  const Rank blocks = payloadBlocks(first.collective, first.ranks);
  std::vector<Cut> cuts(static_cast<std::size_t>(first.shares));
  const auto tooFine = [&](const Plan& plan, std::int32_t share) {
    return makeError(ErrorCode::unsupported,
                     "rank {}: the parts named by the lanes of share {} cut the data into more than {} cells, too many "
                     "to follow",
                     plan.rank, share, maxCells);
  };
  for (const Plan& plan : plans) {
    for (const Lane& lane : plan.lanes) {
      Cut& cut = cuts[static_cast<std::size_t>(lane.share)];
      const auto add = [&](std::int32_t parts) { cut.add(parts, blocks, maxCells); };
      if (plan.scratchSlots > 0) add(plan.scratchParts);
      everyCut(lane, add);
      if (cut.tooFine) return tooFine(plan, lane.share);
      if (cut.secondParts != 0 && (plan.shares > 1 || plan.tileable)) {
        return makeError(ErrorCode::invalidArgument,
                         "rank {}: the lanes of share {} cut the data in {} parts and in {}; where there are several "
                         "shares or tiles, which divide each part, a share needs one cut",
                         plan.rank, lane.share, cut.firstParts, cut.secondParts);
      }
    }
  }
  std::vector<CellGrid> grids;
  grids.reserve(cuts.size());
  for (const Cut& cut : cuts) grids.emplace_back(blocks, cut.perBlock);
  for (const Plan& plan : plans) {
    for (std::int32_t share = 0; plan.scratchSlots > 0 && share < plan.shares; ++share) {
      // A share that no lane of this scratch works on may be cut coarser than the scratch.
      const std::int64_t each = grids[static_cast<std::size_t>(share)].perPart(plan.scratchParts);
      if (each > 0 && plan.scratchSlots > maxCells / each) return tooFine(plan, share);
    }
  }
  return grids;
}

Status checkInside(const Plan& plan, const Chunk& chunk) {
  if (chunk.index + std::int64_t{chunk.span} > chunk.parts) {
    return makeError(ErrorCode::invalidArgument, "{} is out of range: it runs over the end", describe(chunk));
  }
  if (chunk.buffer == Buffer::scratch) {
    if (chunk.slot + std::int64_t{chunk.span} <= plan.scratchSlots) return success();
    return makeError(ErrorCode::invalidArgument, "{} is out of range: the plan declares {} scratch slots",
                     describe(chunk), plan.scratchSlots);
  }
  const BlockRun blocks = chunk.buffer == Buffer::input ? inputBlocks(plan) : outputBlocks(plan);
  const std::int32_t perBlock = chunk.parts / payloadBlocks(plan.collective, plan.ranks);
  if (blocks.count == 0) {
    return makeError(ErrorCode::invalidArgument, "{}: rank {} has no {} in {} with root {}", describe(chunk), plan.rank,
                     nameOf(chunk.buffer), nameOf(plan.collective), plan.root);
  }
  if (chunk.index / perBlock < blocks.first ||
      (chunk.index + chunk.span - 1) / perBlock >= blocks.first + blocks.count) {
    return makeError(ErrorCode::invalidArgument, "{} is out of range: in {}, rank {}'s {} holds block {} alone",
                     describe(chunk), nameOf(plan.collective), plan.rank, nameOf(chunk.buffer), blocks.first);
  }
  return success();
}

Status checkSameSize(const Plan& a, const Chunk& chunkA, const Plan& b, const Chunk& chunkB, bool unequalBlocks) {
  const Rank blocks = payloadBlocks(a.collective, a.ranks);
  const std::int32_t perBlock = chunkA.parts / blocks;
  if (chunkA.parts != chunkB.parts || chunkA.span != chunkB.span ||
      chunkA.index % perBlock != chunkB.index % perBlock) {
    return makeError(ErrorCode::invalidArgument, "{} and {} differ in size", describe(chunkA), describe(chunkB));
  }
  if (!unequalBlocks) return success();
  if (a.collective == Collective::allToAll && (chunkA.buffer == Buffer::scratch || chunkB.buffer == Buffer::scratch)) {
    return makeError(ErrorCode::invalidArgument, "{} and {}: scratch cannot hold the unequal blocks of {}",
                     describe(chunkA), describe(chunkB), nameOf(a.collective));
  }
  // Every part up to the next block's beginning shares a block, so one look per block is enough.
  for (std::int32_t j = 0; j < chunkA.span; j += perBlock - (chunkA.index + j) % perBlock) {
    if (blockIdentity(a, chunkA, chunkA.index + j) != blockIdentity(b, chunkB, chunkB.index + j)) {
      return makeError(ErrorCode::invalidArgument, "{} and {} are of different blocks, which may differ in size",
                       describe(chunkA), describe(chunkB));
    }
  }
  return success();
}

}  // namespace atl::plan
