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

BlocksView Blocks::view() const {
  if (counts_.empty()) return {count_, first_, nullptr, nullptr};
  return {0, 0, counts_.data(), displs_.data()};
}

Layout::Layout(const Plan& plan, Blocks input, Blocks output, std::int32_t inputBlocks, std::int32_t outputBlocks,
               DataType type, std::int32_t tiles)
    : input_(std::move(input)), output_(std::move(output)), scratchSlots_(plan.scratchSlots) {
  view_.blocks[0] = input_.view();
  view_.blocks[1] = output_.view();
  view_.blockCounts[0] = inputBlocks;
  view_.blockCounts[1] = outputBlocks;
  view_.shares = plan.shares;
  view_.tiles = tiles;
  view_.elementBytes = static_cast<std::int64_t>(sizeOf(type));
  if (scratchSlots_ == 0) return;
  const std::int64_t bytes = view_.elementBytes;
  const std::int32_t perBlock = std::max(1, plan.scratchParts / std::max(1, inputBlocks));
  const std::int64_t largest = std::max(input_.largest(), output_.largest());
  const std::int64_t ofPart = plan::largestShare(largest, bytes, perBlock);
  const std::int64_t ofShare = plan::largestShare(ofPart, bytes, plan.shares);
  const std::int64_t ofTile = plan::largestShare(ofShare, bytes, tiles);
  view_.shareBytes = alignedUp(static_cast<std::size_t>(ofTile * bytes));
  view_.slotBytes = view_.shareBytes * static_cast<std::size_t>(plan.shares);
}

void Layout::bind(const void* input, void* output, std::byte* scratch) {
  // Input is only ever read: the verifier and the generators see to it that no step writes it.
  view_.base[static_cast<int>(Buffer::input)] = static_cast<std::byte*>(const_cast<void*>(input));
  view_.base[static_cast<int>(Buffer::output)] = static_cast<std::byte*>(output);
  view_.base[static_cast<int>(Buffer::scratch)] = scratch;
}

}  // namespace atl::exec
