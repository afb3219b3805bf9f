// SPDX-License-Identifier: Apache-2.0
// Cells: the finest cut of the payload that a share's lanes name. The verifier follows data cell by cell.
//
// With k = parts per block, every k that occurs divides the number of cells per block (their least common multiple), so
// a part is a whole number of cells, and by geometry.h's rule the cell boundaries are boundaries of the elements, too.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "src/base/result.h"
#include "src/plan/plan.h"

namespace atl::plan {

/// A run of a payload's blocks.
struct BlockRun {
  Rank first = 0;
  Rank count = 0;
};

/// The blocks that the caller gives this plan's rank as input, and takes as output; count 0 where it has no such
/// buffer.
BlockRun inputBlocks(const Plan& plan);
BlockRun outputBlocks(const Plan& plan);

/// A run of cells: of the payload for input and output, of the slots for scratch.
struct CellRun {
  Buffer buffer = Buffer::input;
  std::int64_t payload = 0;  ///< first cell of the payload that it holds
  std::int64_t begin = 0;    ///< first cell in its buffer; equals `payload` outside scratch
  std::int64_t count = 0;
};

/// The cut of one share. Blocks are cut alike.
class CellGrid {
 public:
  CellGrid() = default;
  CellGrid(Rank blocks, std::int64_t perBlock) : blocks_(blocks), perBlock_(perBlock) {}

  [[nodiscard]] Rank blocks() const { return blocks_; }
  [[nodiscard]] std::int64_t perBlock() const { return perBlock_; }
  [[nodiscard]] std::int64_t payload() const { return blocks_ * perBlock_; }
  /// Cells of one rank's scratch.
  [[nodiscard]] std::int64_t scratch(const Plan& plan) const {
    return plan.scratchSlots == 0 ? 0 : plan.scratchSlots * perPart(plan.scratchParts);
  }
  /// Cells of one part of `parts`, which a lane of this share names.
  [[nodiscard]] std::int64_t perPart(std::int32_t parts) const { return perBlock_ / (parts / blocks_); }

  /// The cells of a chunk, its repetition applied.
  [[nodiscard]] CellRun cells(const Chunk& chunk) const {
    const std::int64_t each = perPart(chunk.parts);
    const std::int64_t payloadBegin = chunk.index * each;
    return {chunk.buffer, payloadBegin, chunk.buffer == Buffer::scratch ? chunk.slot * each : payloadBegin,
            chunk.span * each};
  }

 private:
  Rank blocks_ = 1;
  std::int64_t perBlock_ = 1;
};

/// The grids of all shares, from every chunk that the plans name. Shapes must have been checked. An error if a payload
/// or one rank's scratch would have more than `maxCells` cells.
Result<std::vector<CellGrid>> gridsOf(std::span<const Plan> plans, std::int64_t maxCells);

/// That a chunk, its repetition applied, lies inside the buffers of its plan's rank. The text is without the place.
Status checkInside(const Plan& plan, const Chunk& chunk);

/// That two chunks, perhaps of two ranks, have the same number of elements for every payload: the same parts and the
/// same place in their block. With `unequalBlocks`, also the same block. The text is without the place.
Status checkSameSize(const Plan& a, const Chunk& chunkA, const Plan& b, const Chunk& chunkB, bool unequalBlocks);

}  // namespace atl::plan
