// SPDX-License-Identifier: Apache-2.0
// Walks the memory of a chunk from its first byte to its last, segment by segment.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/exec/layout_view.h"

namespace atl::exec {

class ChunkCursor {
 public:
  ChunkCursor() = default;
  /// Over bytes that lie together.
  ATOLL_HOST_DEVICE ChunkCursor(std::byte* data, std::size_t bytes) : segment_{data, bytes}, remaining_(bytes) {}

  /// Points at the start of a chunk whose index, slot and peers are already those of its repetition.
  ATOLL_HOST_DEVICE void begin(const LayoutView& layout, const Chunk& chunk, std::int32_t share, std::int32_t tile) {
    if (layout.whole(chunk)) {
      segment_ = layout.wholeSegment(chunk);
      remaining_ = segment_.bytes;
      return;
    }
    layout_ = &layout;
    chunk_ = chunk;
    share_ = share;
    tile_ = tile;
    next_ = chunk.index;
    remaining_ = 0;
    for (std::int32_t i = 0; i < chunk.span; ++i)
      remaining_ += layout.segment(chunk, chunk.index + i, share, tile).bytes;
    segment_ = {};
    load();
  }

  /// Bytes from here to the end of the chunk.
  [[nodiscard]] ATOLL_HOST_DEVICE std::size_t remaining() const { return remaining_; }
  /// Bytes that lie together from here; 0 only at the end.
  [[nodiscard]] ATOLL_HOST_DEVICE std::size_t run() const { return segment_.bytes; }
  [[nodiscard]] ATOLL_HOST_DEVICE std::byte* data() const { return segment_.data; }

  /// Moves on by at most run() bytes.
  ATOLL_HOST_DEVICE void advance(std::size_t bytes) {
    segment_.data += bytes;
    segment_.bytes -= bytes;
    remaining_ -= bytes;
    if (segment_.bytes == 0 && remaining_ > 0) load();
  }

 private:
  /// Parts that follow each other in memory are one run.
  ATOLL_HOST_DEVICE void load() {
    while (segment_.bytes == 0 && remaining_ > 0) segment_ = layout_->segment(chunk_, next_++, share_, tile_);
    while (segment_.bytes < remaining_) {
      const Segment next = layout_->segment(chunk_, next_, share_, tile_);
      if (next.bytes > 0 && next.data != segment_.data + segment_.bytes) return;
      segment_.bytes += next.bytes;
      ++next_;
    }
  }

  Segment segment_;
  std::size_t remaining_ = 0;
  const LayoutView* layout_ = nullptr;
  Chunk chunk_;
  std::int32_t share_ = 0;
  std::int32_t tile_ = 0;
  std::int32_t next_ = 0;
};

}  // namespace atl::exec
