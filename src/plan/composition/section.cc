// SPDX-License-Identifier: Apache-2.0
#include "src/plan/composition/section.h"

#include <algorithm>

#include "src/plan/verify_cells.h"

namespace atl::plan {
namespace {

/// A run of parts, and how far from the chunk's beginning it would lie if all its parts were as large as the largest.
struct Piece {
  PartRun run;
  std::int64_t offset = 0;
};

Chunk chunkAt(const Place& place, const PartRun& run, std::int64_t parts) {
  Chunk chunk;
  chunk.buffer = place.buffer;
  chunk.index = static_cast<std::int32_t>(run.first);
  chunk.span = static_cast<std::int32_t>(run.count);
  chunk.parts = static_cast<std::int32_t>(parts);
  if (place.buffer == Buffer::scratch) {
    chunk.slot = static_cast<std::int32_t>(place.slot + place.region.offsetOf(run.first));
  }
  return chunk;
}

/// Writes what one lane does.
class Writer {
 public:
  Writer(PlanBuilder& builder, const Section& section, std::int64_t parts)
      : builder_(builder), section_(section), parts_(parts), even_(true) {
    for (const Region& block : section.blocks) even_ = even_ && block.total() == section.blocks.front().total();
    largestBlock_ = section.largestPart(static_cast<std::int32_t>(section.blocks.size()));
    if (section.plan.scratchSlots > 0) slotParts_ = section.largestPart(section.plan.scratchParts);
  }

  // Repetitions are written out: what the section's plan counts round in circles is no circle here.
  void run(const Lane& lane) {
    for (const Loop& loop : lane.loops) {
      for (std::int32_t k = 0; k < loop.repeat; ++k) {
        for (const Round& round : loop.rounds) {
          builder_.round();
          for (const Step& step : round.steps) step.kind == Step::Kind::send ? send(step, k) : combine(step, k);
        }
      }
    }
  }

 private:
  void send(const Step& step, std::int32_t repetition) {
    std::vector<Rank> to;
    for (const Peer& peer : step.to) to.push_back(rankOf(peer, repetition));
    const Chunk chunk = atRepetition(step.chunk, repetition, section_.plan.scratchSlots);
    for (const Piece& piece : piecesOf(chunk)) builder_.send(renamed(chunk, piece), to);
  }

  void combine(const Step& step, std::int32_t repetition) {
    const Chunk chunk = atRepetition(step.chunk, repetition, section_.plan.scratchSlots);
    const bool finish = step.finish && section_.finishes;
    for (const Piece& piece : piecesOf(chunk)) {
      const Chunk target = renamed(chunk, piece);
      std::vector<Operand> operands;
      for (const Operand& operand : step.operands) {
        operands.push_back(
            operand.isPeer()
                ? Operand::from(Peer{rankOf(*operand.peer, repetition), 0})
                : Operand::local(renamed(atRepetition(operand.chunk, repetition, section_.plan.scratchSlots), piece)));
      }
      const bool isThere = operands.size() == 1 && !operands.front().isPeer() && operands.front().chunk == target;
      if (!isThere || finish) builder_.combine(target, std::move(operands), finish);
    }
  }

  [[nodiscard]] Rank rankOf(const Peer& peer, std::int32_t repetition) const {
    return section_.ranks[static_cast<std::size_t>(atRepetition(peer, repetition, section_.plan.ranks))];
  }

  /// The runs of a chunk. Where parts differ in size they stay apart, since in scratch they lie apart.
  [[nodiscard]] std::vector<Piece> piecesOf(const Chunk& chunk) const {
    const auto blocks = static_cast<std::int32_t>(section_.blocks.size());
    const std::int32_t perBlock = chunk.parts / blocks;
    const std::int64_t largest = largestBlock_ / perBlock;
    std::vector<Piece> pieces;
    for (std::int32_t part = chunk.index; part < chunk.index + chunk.span; ++part) {
      const Region& block = section_.blocks[static_cast<std::size_t>(part / perBlock)];
      const std::int64_t each = block.total() / perBlock;
      std::int64_t offset = (part - chunk.index) * largest;
      for (const PartRun& run : block.cut(part % perBlock * each, each)) {
        if (even_ && !pieces.empty() && pieces.back().run.first + pieces.back().run.count == run.first) {
          pieces.back().run.count += run.count;
        } else {
          pieces.push_back({run, offset});
        }
        offset += run.count;
      }
    }
    return pieces;
  }

  [[nodiscard]] Chunk renamed(const Chunk& chunk, const Piece& piece) const {
    if (chunk.buffer == Buffer::input) return chunkAt(section_.source, piece.run, parts_);
    if (chunk.buffer == Buffer::output) return chunkAt(section_.target, piece.run, parts_);
    return chunkAt({Buffer::scratch, Region::of(piece.run.first, piece.run.count),
                    section_.scratch + chunk.slot * slotParts_ + piece.offset},
                   piece.run, parts_);
  }

  PlanBuilder& builder_;
  const Section& section_;
  std::int64_t parts_;
  std::int64_t largestBlock_ = 0;
  std::int64_t slotParts_ = 0;  ///< slots here that one of the section's plan is
  bool even_;                   ///< all blocks are equal
};

}  // namespace

std::int64_t Section::largestPart(std::int32_t parts) const {
  std::int64_t most = 0;
  for (const Region& block : blocks) most = std::max(most, block.total());
  return most / (parts / static_cast<std::int32_t>(blocks.size()));
}

std::int64_t Section::scratchSlots() const {
  return plan.scratchSlots == 0 ? 0 : plan.scratchSlots * largestPart(plan.scratchParts);
}

Region Section::inputRegion() const {
  const BlockRun held = inputBlocks(plan);
  return Region::unite({blocks.begin() + held.first, blocks.begin() + held.first + held.count});
}

bool keepsNames(const Plan& plan) {
  bool all = true;
  forEachStep(plan, [&](const Step& step, std::int32_t) {
    for (const Operand& operand : step.operands) {
      all = all && (operand.isPeer() ||
                    (operand.chunk.index == step.chunk.index && operand.chunk.stride == step.chunk.stride &&
                     operand.chunk.span == step.chunk.span && operand.chunk.parts == step.chunk.parts));
    }
  });
  return all;
}

void write(PlanBuilder& builder, const Section& section, std::int32_t lane, std::int64_t parts) {
  if (section.copied) {
    const Region region = section.inputRegion();
    builder.round();
    for (const PartRun& run : region.runs()) {
      builder.copy(chunkAt(section.source, run, parts), chunkAt(*section.copied, run, parts));
    }
  }
  Writer(builder, section, parts).run(section.plan.lanes[static_cast<std::size_t>(lane)]);
}

}  // namespace atl::plan
