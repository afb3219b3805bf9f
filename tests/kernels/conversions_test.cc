// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/host/kernels.h"
#include "tests/kernels/reference.h"

namespace atl::kernels::test {
namespace {

std::uint32_t patterns(DataType type) {
  return 1U << (8 * sizeOf(type));
}

std::uint32_t encoded(DataType type, float value) {
  std::uint32_t bits = 0;
  fromFloat32(type, value, &bits);
  return bits;
}

float decoded(DataType type, std::uint32_t bits) {
  return toFloat32(type, &bits);
}

TEST(NarrowFloatConversion, EveryPattern_DecodesToItsValue) {
  for (const DataType type : kNarrowFloats) {
    for (std::uint32_t bits = 0; bits < patterns(type); ++bits) {
      const double expected = narrowValue(type, bits);
      const float value = decoded(type, bits);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(value)) << nameOf(type) << " 0x" << std::hex << bits;
      } else {
        ASSERT_EQ(value, expected) << nameOf(type) << " 0x" << std::hex << bits;
        ASSERT_EQ(std::signbit(value), std::signbit(expected)) << nameOf(type) << " 0x" << std::hex << bits;
      }
    }
  }
}

TEST(NarrowFloatConversion, EveryFinitePattern_RoundTrips) {
  for (const DataType type : kNarrowFloats) {
    for (std::uint32_t bits = 0; bits < patterns(type); ++bits) {
      if (!std::isfinite(narrowValue(type, bits))) continue;
      ASSERT_EQ(encoded(type, decoded(type, bits)), bits) << nameOf(type);
    }
  }
}

TEST(NarrowFloatConversion, TieBetweenNeighbours_RoundsToEven_AndItsNeighboursToTheNearer) {
  for (const DataType type : kNarrowFloats) {
    const std::uint32_t signBit = patterns(type) / 2;
    for (std::uint32_t bits = 0; std::isfinite(narrowValue(type, bits + 1)); ++bits) {
      const auto tie = static_cast<float>((narrowValue(type, bits) + narrowValue(type, bits + 1)) / 2);
      const std::uint32_t even = bits + bits % 2;
      ASSERT_EQ(encoded(type, tie), even) << nameOf(type) << " above 0x" << std::hex << bits;
      ASSERT_EQ(encoded(type, -tie), even | signBit) << nameOf(type) << " above 0x" << std::hex << bits;
      ASSERT_EQ(encoded(type, std::nextafter(tie, 0.0F)), bits) << nameOf(type);
      ASSERT_EQ(encoded(type, std::nextafter(tie, std::numeric_limits<float>::infinity())), bits + 1) << nameOf(type);
    }
  }
}

TEST(NarrowFloatConversion, Overflow_IsInfinityAt16Bits_AndTheLargestFiniteAt8) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kLargest = std::numeric_limits<float>::max();
  EXPECT_EQ(encoded(DataType::float16, 65519.0F), 0x7bffU);
  EXPECT_EQ(encoded(DataType::float16, 65520.0F), 0x7c00U);
  for (const float value : {kLargest, kInfinity}) {
    EXPECT_EQ(encoded(DataType::float16, value), 0x7c00U);
    EXPECT_EQ(encoded(DataType::float16, -value), 0xfc00U);
    EXPECT_EQ(encoded(DataType::bfloat16, value), 0x7f80U);
    EXPECT_EQ(encoded(DataType::bfloat16, -value), 0xff80U);
    EXPECT_EQ(encoded(DataType::float8e4m3, value), 0x7eU);
    EXPECT_EQ(encoded(DataType::float8e4m3, -value), 0xfeU);
    EXPECT_EQ(encoded(DataType::float8e5m2, value), 0x7bU);
    EXPECT_EQ(encoded(DataType::float8e5m2, -value), 0xfbU);
  }
}

TEST(NarrowFloatConversion, EveryNaN_EncodesAsTheOneNaNOfTheFormat) {
  for (const std::uint32_t nan : {0x7f800001U, 0x7fc00000U, 0x7fffffffU, 0xff800001U, 0xffffffffU}) {
    const auto value = std::bit_cast<float>(nan);
    EXPECT_EQ(encoded(DataType::float16, value), 0x7fffU);
    EXPECT_EQ(encoded(DataType::bfloat16, value), 0x7fffU);
    EXPECT_EQ(encoded(DataType::float8e4m3, value), 0x7fU);
    EXPECT_EQ(encoded(DataType::float8e5m2, value), 0x7fU);
  }
}

TEST(NarrowFloatConversion, Float32OfEveryExponent_EncodesToTheNearest) {
  for (const DataType type : kNarrowFloats) {
    // Every sign and exponent with mantissas that differ above, at and below the bits that formats keep.
    for (std::uint32_t upper = 0; upper < 0x1000; ++upper) {
      for (const std::uint32_t lower : {0x00000U, 0x00001U, 0x07fffU, 0x08000U, 0x08001U, 0x80000U, 0xfffffU}) {
        const auto value = std::bit_cast<float>(upper << 20 | lower);
        ASSERT_EQ(encoded(type, value), narrowBits(type, value)) << nameOf(type) << " of " << std::hexfloat << value;
      }
    }
  }
}

}  // namespace
}  // namespace atl::kernels::test
