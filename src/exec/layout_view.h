// SPDX-License-Identifier: Apache-2.0
// Where the parts of a call's payload lie in memory, as plain data that refers to arrays of someone else's: a host's
// program and a device's look at the same. Needs no host, so that device code may use it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/host_device.h"
#include "src/plan/geometry.h"
#include "src/plan/plan.h"

namespace atl::exec {

/// A run of bytes.
struct Segment {
  std::byte* data = nullptr;
  std::size_t bytes = 0;
};

/// The blocks of one buffer: `count` elements each and back to back from block `first`, with which the buffer begins;
/// or counted and displaced one by one.
struct BlocksView {
  std::int64_t count = 0;
  std::int32_t first = 0;
  const std::int64_t* counts = nullptr;  ///< by block, elements; null: all are equal
  const std::int64_t* displs = nullptr;  ///< by block, elements from the start of the buffer

  /// Elements of block `index`, from the start of the buffer.
  [[nodiscard]] ATOLL_HOST_DEVICE plan::Extent block(std::int32_t index) const {
    if (counts == nullptr) return {(index - first) * count, count};
    return {displs[index], counts[index]};
  }
  /// True where consecutive blocks are adjacent in memory.
  [[nodiscard]] ATOLL_HOST_DEVICE bool contiguous() const { return counts == nullptr; }
};

/// Everything needed to turn a Chunk into segments.
struct LayoutView {
  BlocksView blocks[2];  ///< of input (0; scratch too) and output (1)
  std::int32_t blockCounts[2] = {1, 1};
  std::int32_t shares = 1;
  std::int32_t tiles = 1;
  std::int64_t elementBytes = 1;
  std::size_t shareBytes = 0;  ///< of a scratch slot, one lane share's room
  std::size_t slotBytes = 0;
  std::byte* base[3] = {nullptr, nullptr, nullptr};  ///< by Buffer; a call's

  [[nodiscard]] ATOLL_HOST_DEVICE static int sideOf(Buffer buffer) { return buffer == Buffer::output ? 1 : 0; }

  /// The memory of part `index` of a (repetition-resolved) chunk, for one lane share and tile.
  [[nodiscard]] ATOLL_HOST_DEVICE Segment segment(const Chunk& chunk, std::int32_t index, std::int32_t share,
                                                  std::int32_t tile) const {
    plan::Extent extent = part(sideOf(chunk.buffer), chunk.parts, index);
    if (!plain()) {
      const plan::Extent ofShare = plan::shareOf(extent.count, elementBytes, shares, share);
      const plan::Extent ofTile = plan::shareOf(ofShare.count, elementBytes, tiles, tile);
      extent = {extent.begin + ofShare.begin + ofTile.begin, ofTile.count};
    }
    const auto bytes = static_cast<std::size_t>(extent.count * elementBytes);
    if (chunk.buffer != Buffer::scratch) return {at(chunk.buffer, extent.begin), bytes};
    const auto slot = static_cast<std::size_t>(chunk.slot + (index - chunk.index));
    return {base[static_cast<int>(Buffer::scratch)] + slot * slotBytes + static_cast<std::size_t>(share) * shareBytes,
            bytes};
  }

  /// Where block `index` of the input or the output begins.
  [[nodiscard]] ATOLL_HOST_DEVICE std::byte* block(Buffer buffer, std::int32_t index) const {
    return at(buffer, blocks[sideOf(buffer)].block(index).begin);
  }

  /// True where the whole chunk is one segment: no lanes, no tiles, adjacent parts.
  [[nodiscard]] ATOLL_HOST_DEVICE bool whole(const Chunk& chunk) const {
    return plain() && chunk.buffer != Buffer::scratch && blocks[sideOf(chunk.buffer)].contiguous();
  }
  /// That segment.
  [[nodiscard]] ATOLL_HOST_DEVICE Segment wholeSegment(const Chunk& chunk) const {
    const int side = sideOf(chunk.buffer);
    const plan::Extent first = part(side, chunk.parts, chunk.index);
    std::int64_t elements = first.count;
    if (chunk.span > 1) {
      const plan::Extent last = part(side, chunk.parts, chunk.index + chunk.span - 1);
      elements = last.begin + last.count - first.begin;
    }
    return {at(chunk.buffer, first.begin), static_cast<std::size_t>(elements * elementBytes)};
  }

 private:
  [[nodiscard]] ATOLL_HOST_DEVICE bool plain() const { return shares == 1 && tiles == 1; }

  // Point-to-point blocks carry absolute addresses over a null base, hence integer arithmetic.
  [[nodiscard]] ATOLL_HOST_DEVICE std::byte* at(Buffer buffer, std::int64_t element) const {
    return reinterpret_cast<std::byte*>(reinterpret_cast<std::intptr_t>(base[static_cast<int>(buffer)]) +
                                        element * elementBytes);
  }

  [[nodiscard]] ATOLL_HOST_DEVICE plan::Extent part(int side, std::int32_t parts, std::int32_t index) const {
    const std::int32_t blockCount = blockCounts[side];
    if (parts == blockCount) return blocks[side].block(index);
    const std::int32_t perBlock = parts / blockCount;
    const plan::Extent block = blocks[side].block(index / perBlock);
    const plan::Extent within = plan::shareOf(block.count, elementBytes, perBlock, index % perBlock);
    return {block.begin + within.begin, within.count};
  }
};

}  // namespace atl::exec
