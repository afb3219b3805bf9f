// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/buffer.h"

#include <gtest/gtest.h>

#include <cstring>

namespace atl::perf {
namespace {

Buffer buffer(std::size_t capacity) {
  auto made = Buffer::allocate(capacity, nullptr);
  EXPECT_TRUE(made.ok());
  return std::move(made).value();
}

TEST(Buffer, Data_IsPageAligned) {
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer(100).data()) % 4096, 0u);
}

TEST(Buffer, Positions_FitWithoutOverlap) {
  const Buffer b = buffer(1000);
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{8}, std::size_t{64}, std::size_t{65}, std::size_t{400}, std::size_t{1000}}) {
    const std::size_t n = b.positions(bytes);
    ASSERT_GE(n, 1u);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_LE(b.position(i, bytes) + bytes, b.data() + b.capacity());
      if (i + 1 < n) {
        EXPECT_LE(b.position(i, bytes) + bytes, b.position(i + 1, bytes));
      }
    }
    EXPECT_EQ(b.position(n, bytes), b.position(0, bytes));
  }
}

TEST(Buffer, RegionOfTheWholeOrOfNothing_HasOnePosition) {
  EXPECT_EQ(buffer(1000).positions(1000), 1u);
  EXPECT_EQ(buffer(1000).positions(0), 1u);
  EXPECT_EQ(buffer(0).positions(0), 1u);
}

TEST(Buffer, ByteWrittenJustOutside_IsCounted) {
  const Buffer b = buffer(1000);
  std::byte* const region = b.position(1, 100);
  b.plantGuards(region, 100);
  std::memset(region, 0xff, 100);
  EXPECT_EQ(b.countTouched(region, 100), 0u);
  region[100] = std::byte{1};
  EXPECT_EQ(b.countTouched(region, 100), 1u);
  region[-1] = std::byte{1};
  EXPECT_EQ(b.countTouched(region, 100), 2u);
}

TEST(Buffer, GuardsOfTheWhole_LieInsideTheAllocation) {
  const Buffer b = buffer(4096);
  b.plantGuards(b.data(), b.capacity());  // AddressSanitizer is the judge
  EXPECT_EQ(b.countTouched(b.data(), b.capacity()), 0u);
}

TEST(Memory, Available_IsKnownOnLinux) {
  EXPECT_GT(availableMemory(), 0u);
}

}  // namespace
}  // namespace atl::perf
