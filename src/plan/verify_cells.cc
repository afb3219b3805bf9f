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

/// Folds the parts that one share's lanes name into cells per block.
class GridBuilder {
 public:
  GridBuilder(Rank blocks, std::int64_t maxCells) : blocks_(blocks), maxCells_(maxCells) {}

  /// False once the grid is finer than allowed.
  bool add(std::int32_t parts) {
    const std::int64_t perBlock = parts / blocks_;
    if (cells_ % perBlock == 0) return true;
    const std::int64_t factor = perBlock / std::gcd(cells_, perBlock);
    if (cells_ > maxCells_ / blocks_ / factor) return false;
    cells_ *= factor;
    return true;
  }

  bool add(const Lane& lane) {
    for (const Loop& loop : lane.loops) {
      for (const Round& round : loop.rounds) {
        for (const Step& step : round.steps) {
          if (!add(step.chunk.parts)) return false;
          for (const Operand& operand : step.operands) {
            if (!operand.isPeer() && !add(operand.chunk.parts)) return false;
          }
        }
      }
    }
    return true;
  }

  [[nodiscard]] CellGrid grid() const { return {blocks_, cells_}; }

 private:
  Rank blocks_;
  std::int64_t maxCells_;
  std::int64_t cells_ = 1;
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
  std::vector<GridBuilder> builders(static_cast<std::size_t>(first.shares), GridBuilder(blocks, maxCells));
  const auto tooFine = [&](const Plan& plan, std::int32_t share) {
    return makeError(ErrorCode::unsupported,
                     "rank {}: the parts named by the lanes of share {} cut the data into more than {} cells, too many "
                     "to follow",
                     plan.rank, share, maxCells);
  };
  for (const Plan& plan : plans) {
    for (const Lane& lane : plan.lanes) {
      GridBuilder& builder = builders[static_cast<std::size_t>(lane.share)];
      if (plan.scratchSlots > 0 && !builder.add(plan.scratchParts)) return tooFine(plan, lane.share);
      if (!builder.add(lane)) return tooFine(plan, lane.share);
    }
  }
  std::vector<CellGrid> grids;
  grids.reserve(builders.size());
  for (const GridBuilder& builder : builders) grids.push_back(builder.grid());
  for (const Plan& plan : plans) {
    for (const Lane& lane : plan.lanes) {
      const CellGrid& grid = grids[static_cast<std::size_t>(lane.share)];
      if (plan.scratchSlots > 0 && plan.scratchSlots > maxCells / grid.perPart(plan.scratchParts)) {
        return tooFine(plan, lane.share);
      }
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
