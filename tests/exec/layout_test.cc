// SPDX-License-Identifier: Apache-2.0
// From chunks to memory: every element of the payload belongs to exactly one (part, share, tile).
#include "src/exec/host/layout.h"

#include <gtest/gtest.h>

#include <numeric>
#include <tuple>
#include <vector>

#include "src/exec/chunk_cursor.h"

namespace atl::exec {
namespace {

Plan planOf(Collective collective, Rank ranks, std::int32_t shares) {
  Plan plan;
  plan.collective = collective;
  plan.ranks = ranks;
  plan.shares = shares;
  return plan;
}

Chunk outputPart(std::int32_t index, std::int32_t parts) {
  Chunk chunk;
  chunk.buffer = Buffer::output;
  chunk.index = index;
  chunk.parts = parts;
  return chunk;
}

/// (elements, parts, shares, tiles)
class Cuts : public testing::TestWithParam<std::tuple<int, int, int, int>> {};

TEST_P(Cuts, PartsSharesAndTiles_CoverEveryElementOnce) {
  const auto [count, parts, shares, tiles] = GetParam();
  Layout layout(planOf(Collective::allReduce, 4, shares), Blocks::equal(count), Blocks::equal(count), 1, 1,
                DataType::float32, tiles);
  std::vector<float> memory(static_cast<std::size_t>(count), 0);
  layout.bind(nullptr, memory.data(), nullptr);
  for (int part = 0; part < parts; ++part) {
    for (int share = 0; share < shares; ++share) {
      for (int tile = 0; tile < tiles; ++tile) {
        const Segment segment = layout.segment(outputPart(part, parts), part, share, tile);
        ASSERT_EQ(segment.bytes % sizeof(float), 0U);
        auto* at = reinterpret_cast<float*>(segment.data);
        for (std::size_t i = 0; i < segment.bytes / sizeof(float); ++i) at[i] += 1;
      }
    }
  }
  for (const float times : memory) ASSERT_EQ(times, 1.0F);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Cuts,
                         testing::Combine(testing::Values(0, 1, 15, 16, 17, 1023, 4099), testing::Values(1, 3, 8),
                                          testing::Values(1, 2, 3), testing::Values(1, 4)));

TEST(Layout, UnequalBlocks_LieWhereTheirDisplacementsSay) {
  const std::vector<std::size_t> counts = {3, 0, 5};
  const std::vector<std::size_t> displs = {10, 0, 20};
  Layout layout(planOf(Collective::allGather, 3, 1), Blocks::alone(counts.data(), 3),
                Blocks::listed(counts.data(), displs.data(), 3), 3, 3, DataType::int32, 1);
  std::vector<std::int32_t> input(5);
  std::vector<std::int32_t> output(25);
  layout.bind(input.data(), output.data(), nullptr);
  const Segment third = layout.segment(outputPart(2, 3), 2, 0, 0);
  EXPECT_EQ(third.data, reinterpret_cast<std::byte*>(output.data() + 20));
  EXPECT_EQ(third.bytes, 5 * sizeof(std::int32_t));
  EXPECT_EQ(layout.segment(outputPart(1, 3), 1, 0, 0).bytes, 0U);
  Chunk own = outputPart(2, 3);
  own.buffer = Buffer::input;
  EXPECT_EQ(layout.segment(own, 2, 0, 0).data, reinterpret_cast<std::byte*>(input.data()));
}

TEST(Layout, ScratchSlots_AreDisjointAndWithinTheBound) {
  Plan plan = planOf(Collective::allReduce, 4, 2);
  plan.scratchParts = 4;
  plan.scratchSlots = 3;
  Layout layout(plan, Blocks::equal(1001), Blocks::equal(1001), 1, 1, DataType::float64, 2);
  std::vector<std::byte> scratch(layout.scratchBytes());
  std::vector<double> buffer(1001);
  layout.bind(buffer.data(), buffer.data(), scratch.data());
  std::vector<int> owner(scratch.size(), -1);
  for (std::int32_t slot = 0; slot < 3; ++slot) {
    for (std::int32_t share = 0; share < 2; ++share) {
      for (std::int32_t part = 0; part < 4; ++part) {
        for (std::int32_t tile = 0; tile < 2; ++tile) {
          Chunk chunk = outputPart(part, 4);
          chunk.buffer = Buffer::scratch;
          chunk.slot = slot;
          const Segment segment = layout.segment(chunk, part, share, tile);
          const auto begin = static_cast<std::size_t>(segment.data - scratch.data());
          ASSERT_LE(begin + segment.bytes, scratch.size());
          for (std::size_t i = begin; i < begin + segment.bytes; ++i) {
            ASSERT_TRUE(owner[i] == -1 || owner[i] == slot * 2 + share);
            owner[i] = slot * 2 + share;
          }
        }
      }
    }
  }
}

TEST(ChunkCursor, SpanOfParts_IsWalkedInOrder) {
  Layout layout(planOf(Collective::allGather, 3, 1), Blocks::equal(7, 0), Blocks::equal(7), 3, 3, DataType::uint8, 2);
  std::vector<std::uint8_t> memory(21);
  std::iota(memory.begin(), memory.end(), std::uint8_t{0});
  layout.bind(memory.data(), memory.data(), nullptr);
  Chunk chunk = outputPart(1, 3);
  chunk.span = 2;
  std::vector<std::uint8_t> seen;
  for (std::int32_t tile = 0; tile < 2; ++tile) {
    ChunkCursor cursor;
    cursor.begin(layout.view(), chunk, 0, tile);
    while (cursor.remaining() > 0) {
      seen.push_back(std::to_integer<std::uint8_t>(*cursor.data()));
      cursor.advance(1);
    }
  }
  std::vector<std::uint8_t> expected(14);
  std::iota(expected.begin(), expected.end(), std::uint8_t{7});
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, expected);
}

TEST(ChunkCursor, PartsThatFollowEachOther_AreOneRun) {
  const std::vector<std::size_t> counts = {3, 0, 5, 4};
  const std::vector<std::size_t> displs = {10, 99, 13, 20};
  Layout layout(planOf(Collective::allToAll, 4, 1), Blocks::listed(counts.data(), displs.data(), 4),
                Blocks::listed(counts.data(), displs.data(), 4), 4, 4, DataType::uint8, 1);
  std::vector<std::byte> memory(100);
  layout.bind(memory.data(), memory.data(), nullptr);
  Chunk chunk = outputPart(0, 4);
  chunk.span = 4;
  ChunkCursor cursor;
  cursor.begin(layout.view(), chunk, 0, 0);
  EXPECT_EQ(cursor.data(), memory.data() + 10);
  ASSERT_EQ(cursor.run(), 8U);
  cursor.advance(8);
  EXPECT_EQ(cursor.data(), memory.data() + 20);
  EXPECT_EQ(cursor.run(), 4U);
  EXPECT_EQ(cursor.remaining(), 4U);
}

}  // namespace
}  // namespace atl::exec
