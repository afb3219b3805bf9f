// SPDX-License-Identifier: Apache-2.0
// Where the parts of a call's payload lie in memory. Made once per kind of call; bound to buffers at each call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/exec/call.h"
#include "src/plan/geometry.h"
#include "src/plan/plan.h"

namespace atl::exec {

/// A run of bytes.
struct Segment {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

/// The blocks of one buffer: equal and back to back, or counted and displaced one by one (the v-forms, point-to-point).
class Blocks {
 public:
  static Blocks none() { return {}; }
  /// Blocks `first` … of `count` elements each; the buffer begins with block `first`.
  static Blocks equal(std::int64_t count, std::int32_t first = 0);
  /// counts[i] and displs[i] for every block (elements). Without displs, blocks are back to back.
  static Blocks listed(const std::size_t* counts, const std::size_t* displs, std::int32_t blocks);
  /// A buffer that holds one block alone; the counts of the others are known too, since scratch may hold them.
  static Blocks alone(const std::size_t* counts, std::int32_t blocks);

  /// Elements of block `index`, from the start of the buffer.
  [[nodiscard]] plan::Extent block(std::int32_t index) const {
    if (counts_.empty()) return {(index - first_) * count_, count_};
    const auto i = static_cast<std::size_t>(index);
    return {displs_[i], counts_[i]};
  }
  /// True where consecutive blocks are adjacent in memory.
  [[nodiscard]] bool contiguous() const { return counts_.empty(); }
  [[nodiscard]] std::int64_t largest() const;

  /// Point-to-point only: a block may lie anywhere.
  void relocate(std::int32_t index, std::int64_t displ) { displs_[static_cast<std::size_t>(index)] = displ; }

 private:
  std::int64_t count_ = 0;
  std::int32_t first_ = 0;
  std::vector<std::int64_t> counts_;
  std::vector<std::int64_t> displs_;
};

/// Everything needed to turn a Chunk into segments, but the buffers' addresses.
class Layout {
 public:
  Layout(const Plan& plan, Blocks input, Blocks output, std::int32_t inputBlocks, std::int32_t outputBlocks,
         DataType type, std::int32_t tiles);

  /// Bytes of scratch that the plan needs at these sizes.
  [[nodiscard]] std::size_t scratchBytes() const { return slotBytes_ * static_cast<std::size_t>(scratchSlots_); }
  [[nodiscard]] std::int32_t tiles() const { return tiles_; }
  [[nodiscard]] std::size_t elementBytes() const { return elementBytes_; }

  /// Sets the addresses for one call. Scratch is scratchBytes() long and 64-byte aligned.
  void bind(const void* input, void* output, std::byte* scratch);

  [[nodiscard]] std::byte* base(Buffer buffer) const { return base_[static_cast<int>(buffer)]; }

  /// The memory of part `part` of a (repetition-resolved) chunk, for one lane share and tile.
  [[nodiscard]] Segment segment(const Chunk& chunk, std::int32_t part, std::int32_t share, std::int32_t tile) const;

  /// True where the whole chunk is one segment: no lanes, no tiles, adjacent parts.
  [[nodiscard]] bool whole(const Chunk& chunk) const {
    return plain_ && chunk.buffer != Buffer::scratch && blocksOf(chunk.buffer).contiguous();
  }
  /// That segment.
  [[nodiscard]] Segment wholeSegment(const Chunk& chunk) const;

  [[nodiscard]] Blocks& inputBlocks() { return input_; }
  [[nodiscard]] Blocks& outputBlocks() { return output_; }

 private:
  [[nodiscard]] const Blocks& blocksOf(Buffer buffer) const { return buffer == Buffer::output ? output_ : input_; }
  [[nodiscard]] std::int32_t blockCount(Buffer buffer) const {
    return buffer == Buffer::output ? outputBlocks_ : inputBlocks_;
  }
  [[nodiscard]] plan::Extent part(const Blocks& blocks, std::int32_t blockCount, std::int32_t parts,
                                  std::int32_t index) const;

  Blocks input_;
  Blocks output_;
  std::int32_t inputBlocks_;
  std::int32_t outputBlocks_;
  std::size_t elementBytes_;
  std::int32_t shares_;
  std::int32_t tiles_;
  bool plain_;
  std::int32_t scratchSlots_;
  std::size_t shareBytes_ = 0;  ///< of a scratch slot, one lane share's room
  std::size_t slotBytes_ = 0;
  std::byte* base_[3] = {nullptr, nullptr, nullptr};
};

}  // namespace atl::exec
