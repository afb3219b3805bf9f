// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/layout.h"

#include <algorithm>

namespace atl::exec {
namespace {

constexpr std::size_t kAlign = 64;

std::size_t alignedUp(std::size_t bytes) {
  return (bytes + kAlign - 1) / kAlign * kAlign;
}

}  // namespace

Blocks Blocks::equal(std::int64_t count, std::int32_t first) {
  Blocks blocks;
  blocks.count_ = count;
  blocks.first_ = first;
  return blocks;
}

Blocks Blocks::listed(const std::size_t* counts, const std::size_t* displs, std::int32_t blocks) {
  Blocks result;
  result.counts_.assign(counts, counts + blocks);
  std::int64_t next = 0;
  for (std::int32_t i = 0; i < blocks; ++i) {
    result.displs_.push_back(displs != nullptr ? static_cast<std::int64_t>(displs[i]) : next);
    next += result.counts_[static_cast<std::size_t>(i)];
  }
  return result;
}

Blocks Blocks::alone(const std::size_t* counts, std::int32_t blocks) {
  Blocks result;
  result.counts_.assign(counts, counts + blocks);
  result.displs_.assign(static_cast<std::size_t>(blocks), 0);
  return result;
}

std::int64_t Blocks::largest() const {
  return counts_.empty() ? count_ : *std::max_element(counts_.begin(), counts_.end());
}

Layout::Layout(const Plan& plan, Blocks input, Blocks output, std::int32_t inputBlocks, std::int32_t outputBlocks,
               DataType type, std::int32_t tiles)
    : input_(std::move(input)),
      output_(std::move(output)),
      inputBlocks_(inputBlocks),
      outputBlocks_(outputBlocks),
      elementBytes_(sizeOf(type)),
      shares_(plan.shares),
      tiles_(tiles),
      plain_(plan.shares == 1 && tiles == 1),
      scratchSlots_(plan.scratchSlots) {
  if (scratchSlots_ == 0) return;
  const auto bytes = static_cast<std::int64_t>(elementBytes_);
  const std::int32_t perBlock = std::max(1, plan.scratchParts / std::max(1, inputBlocks_));
  const std::int64_t largest = std::max(input_.largest(), output_.largest());
  const std::int64_t ofPart = plan::largestShare(largest, bytes, perBlock);
  const std::int64_t ofShare = plan::largestShare(ofPart, bytes, shares_);
  const std::int64_t ofTile = plan::largestShare(ofShare, bytes, tiles_);
  shareBytes_ = alignedUp(static_cast<std::size_t>(ofTile) * elementBytes_);
  slotBytes_ = shareBytes_ * static_cast<std::size_t>(shares_);
}

void Layout::bind(const void* input, void* output, std::byte* scratch) {
  // Input is only ever read: the verifier and the generators see to it that no step writes it.
  base_[static_cast<int>(Buffer::input)] = static_cast<std::byte*>(const_cast<void*>(input));
  base_[static_cast<int>(Buffer::output)] = static_cast<std::byte*>(output);
  base_[static_cast<int>(Buffer::scratch)] = scratch;
}

plan::Extent Layout::part(const Blocks& blocks, std::int32_t blockCount, std::int32_t parts, std::int32_t index) const {
  if (parts == blockCount) return blocks.block(index);
  const std::int32_t perBlock = parts / blockCount;
  const plan::Extent block = blocks.block(index / perBlock);
  const plan::Extent within =
      plan::shareOf(block.count, static_cast<std::int64_t>(elementBytes_), perBlock, index % perBlock);
  return {block.begin + within.begin, within.count};
}

Segment Layout::segment(const Chunk& chunk, std::int32_t partIndex, std::int32_t share, std::int32_t tile) const {
  const bool scratch = chunk.buffer == Buffer::scratch;
  const auto bytes = static_cast<std::int64_t>(elementBytes_);
  plan::Extent extent = part(blocksOf(chunk.buffer), blockCount(chunk.buffer), chunk.parts, partIndex);
  if (!plain_) {
    const plan::Extent ofShare = plan::shareOf(extent.count, bytes, shares_, share);
    const plan::Extent ofTile = plan::shareOf(ofShare.count, bytes, tiles_, tile);
    extent = {extent.begin + ofShare.begin + ofTile.begin, ofTile.count};
  }
  const std::size_t size = static_cast<std::size_t>(extent.count) * elementBytes_;
  if (scratch) {
    const auto slot = static_cast<std::size_t>(chunk.slot + (partIndex - chunk.index));
    return {
        base_[static_cast<int>(Buffer::scratch)] + slot * slotBytes_ + static_cast<std::size_t>(share) * shareBytes_,
        size};
  }
  // Point-to-point blocks carry absolute addresses over a null base, hence integer arithmetic.
  const auto address = reinterpret_cast<std::intptr_t>(base_[static_cast<int>(chunk.buffer)]) + extent.begin * bytes;
  return {reinterpret_cast<std::byte*>(address), size};
}

Segment Layout::wholeSegment(const Chunk& chunk) const {
  const Blocks& blocks = blocksOf(chunk.buffer);
  const std::int32_t count = blockCount(chunk.buffer);
  const plan::Extent first = part(blocks, count, chunk.parts, chunk.index);
  std::int64_t elements = first.count;
  if (chunk.span > 1) {
    const plan::Extent last = part(blocks, count, chunk.parts, chunk.index + chunk.span - 1);
    elements = last.begin + last.count - first.begin;
  }
  const auto address = reinterpret_cast<std::intptr_t>(base_[static_cast<int>(chunk.buffer)]) +
                       first.begin * static_cast<std::int64_t>(elementBytes_);
  return {reinterpret_cast<std::byte*>(address), static_cast<std::size_t>(elements) * elementBytes_};
}

}  // namespace atl::exec
