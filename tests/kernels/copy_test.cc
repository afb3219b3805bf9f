// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/host/kernels.h"
#include "tests/kernels/targets.h"

namespace atl::kernels::test {
namespace {

constexpr std::uint8_t kGuardByte = 0xa5;

/// True when exactly the bytes asked for were copied, with the given distances from a cache line.
bool copiesExactly(const std::vector<std::uint8_t>& source, std::size_t bytes, std::size_t fromSkew, std::size_t toSkew,
                   void (*copy)(void*, const void*, std::size_t) = copyBytes) {
  std::vector<std::uint8_t> destination(toSkew + bytes + 64, kGuardByte);
  copy(destination.data() + toSkew, source.data() + fromSkew, bytes);
  for (std::size_t i = 0; i < toSkew; ++i) {
    if (destination[i] != kGuardByte) return false;
  }
  for (std::size_t i = toSkew + bytes; i < destination.size(); ++i) {
    if (destination[i] != kGuardByte) return false;
  }
  return bytes == 0 || std::memcmp(destination.data() + toSkew, source.data() + fromSkew, bytes) == 0;
}

std::vector<std::uint8_t> pattern(std::size_t bytes) {
  std::vector<std::uint8_t> data(bytes);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : data) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return data;
}

TEST(CopyBytes, SmallSizes_CopyExactly) {
  const std::vector<std::uint8_t> source = pattern(1024);
  for (std::size_t bytes = 0; bytes <= 300; ++bytes) ASSERT_TRUE(copiesExactly(source, bytes, 3, 5)) << bytes;
}

TEST(CopyBytes, AboveTheStreamingThreshold_CopiesExactlyOnEveryTarget) {
  const std::size_t base = streamingThreshold() + 1;
  const std::vector<std::uint8_t> source = pattern(base + 256);
  forEachTarget([&] {
    ASSERT_TRUE(copiesExactly(source, base, 0, 0));
    ASSERT_TRUE(copiesExactly(source, base + 61, 1, 0));
    ASSERT_TRUE(copiesExactly(source, base + 130, 7, 63));
  });
}

TEST(StreamBytes, EverySizeAroundItsOwnLimits_CopiesExactlyOnEveryTarget) {
  const std::vector<std::uint8_t> source = pattern(2048);
  forEachTarget([&] {
    for (std::size_t bytes = 0; bytes <= 1300; bytes += bytes < 130 || bytes > 1000 ? 1 : 17) {
      ASSERT_TRUE(copiesExactly(source, bytes, 3, bytes % 67, streamBytes)) << bytes;
    }
  });
}

TEST(StreamingThreshold, IsStableAndLargerThanASmallCache) {
  EXPECT_EQ(streamingThreshold(), streamingThreshold());
  EXPECT_GE(streamingThreshold(), std::size_t{256} << 10);
}

}  // namespace
}  // namespace atl::kernels::test
