// SPDX-License-Identifier: Apache-2.0
// Where the parts of a call's payload lie in memory. Made once per kind of call; bound to buffers at each call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/exec/call.h"
#include "src/exec/layout_view.h"

namespace atl::exec {

/// The blocks of one buffer: equal and back to back, or counted and displaced one by one (the v-forms, point-to-point).
class Blocks {
 public:
  /// Blocks `first` … of `count` elements each; the buffer begins with block `first`.
  static Blocks equal(std::int64_t count, std::int32_t first = 0);
  /// counts[i] and displs[i] for every block (elements). Without displs, blocks are back to back.
  static Blocks listed(const std::size_t* counts, const std::size_t* displs, std::int32_t blocks);
  /// A buffer that holds one block alone; the counts of the others are known too, since scratch may hold them.
  static Blocks alone(const std::size_t* counts, std::int32_t blocks);

  /// Valid until this is changed or goes; moving it keeps it.
  [[nodiscard]] BlocksView view() const;
  [[nodiscard]] std::int64_t largest() const;

  /// Point-to-point only: a block may lie anywhere.
  void relocate(std::int32_t index, std::int64_t displ) { displs_[static_cast<std::size_t>(index)] = displ; }

 private:
  std::int64_t count_ = 0;
  std::int32_t first_ = 0;
  std::vector<std::int64_t> counts_;
  std::vector<std::int64_t> displs_;
};

/// The layout of one kind of call, with the arrays that it refers to.
class Layout {
 public:
  Layout(const Plan& plan, Blocks input, Blocks output, std::int32_t inputBlocks, std::int32_t outputBlocks,
         DataType type, std::int32_t tiles);
  Layout(Layout&&) = default;  // arrays stay where they are
  Layout& operator=(Layout&&) = default;

  /// Bytes of scratch that the plan needs at these sizes.
  [[nodiscard]] std::size_t scratchBytes() const { return view_.slotBytes * static_cast<std::size_t>(scratchSlots_); }
  [[nodiscard]] std::int32_t tiles() const { return view_.tiles; }

  /// Sets the addresses for one call. Scratch is scratchBytes() long and 64-byte aligned.
  void bind(const void* input, void* output, std::byte* scratch);

  [[nodiscard]] const LayoutView& view() const { return view_; }
  [[nodiscard]] std::byte* base(Buffer buffer) const { return view_.base[static_cast<int>(buffer)]; }

  // As the view's.
  [[nodiscard]] Segment segment(const Chunk& chunk, std::int32_t part, std::int32_t share, std::int32_t tile) const {
    return view_.segment(chunk, part, share, tile);
  }
  [[nodiscard]] bool whole(const Chunk& chunk) const { return view_.whole(chunk); }
  [[nodiscard]] Segment wholeSegment(const Chunk& chunk) const { return view_.wholeSegment(chunk); }

  [[nodiscard]] Blocks& inputBlocks() { return input_; }
  [[nodiscard]] Blocks& outputBlocks() { return output_; }

 private:
  Blocks input_;
  Blocks output_;
  LayoutView view_;
  std::int32_t scratchSlots_;
};

}  // namespace atl::exec
