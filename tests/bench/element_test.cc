// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/element.h"

#include <gtest/gtest.h>

#include <cmath>

namespace atl::perf {
namespace {

TEST(Element, Float16_HasItsWellKnownBits) {
  EXPECT_EQ(bitsOfReal(DataType::float16, 1.0), 0x3c00u);
  EXPECT_EQ(bitsOfReal(DataType::float16, -2.0), 0xc000u);
  EXPECT_EQ(bitsOfReal(DataType::float16, 65504.0), 0x7bffu);
  EXPECT_EQ(bitsOfReal(DataType::float16, std::ldexp(1.0, -24)), 0x0001u);  // the least subnormal
  EXPECT_EQ(bitsOfReal(DataType::float16, std::ldexp(1.0, -14)), 0x0400u);  // the least normal
  EXPECT_DOUBLE_EQ(realOf(DataType::float16, 0x3555), 0.333251953125);
}

TEST(Element, NarrowFloats_HaveTheirWellKnownBits) {
  EXPECT_EQ(bitsOfReal(DataType::bfloat16, 1.0), 0x3f80u);
  EXPECT_EQ(bitsOfReal(DataType::float8e4m3, 1.0), 0x38u);
  EXPECT_EQ(bitsOfReal(DataType::float8e4m3, 448.0), 0x7eu);
  EXPECT_EQ(bitsOfReal(DataType::float8e4m3, std::ldexp(1.0, -9)), 0x01u);
  EXPECT_EQ(bitsOfReal(DataType::float8e5m2, 1.0), 0x3cu);
  EXPECT_EQ(bitsOfReal(DataType::float8e5m2, 57344.0), 0x7bu);
}

TEST(Element, Rounding_IsToNearestTiesToEven) {
  EXPECT_EQ(bitsOfReal(DataType::float8e4m3, 17.0), bitsOfReal(DataType::float8e4m3, 16.0));
  EXPECT_EQ(bitsOfReal(DataType::float8e4m3, 19.0), bitsOfReal(DataType::float8e4m3, 20.0));
  EXPECT_EQ(bitsOfReal(DataType::float8e4m3, 17.01), bitsOfReal(DataType::float8e4m3, 18.0));
  EXPECT_EQ(bitsOfReal(DataType::float16, 4095.9), bitsOfReal(DataType::float16, 4096.0));  // carries into the exponent
}

class NarrowType : public testing::TestWithParam<DataType> {};

TEST_P(NarrowType, EveryFiniteElement_SurvivesTheRoundTrip) {
  const DataType type = GetParam();
  const FloatLayout layout = floatLayoutOf(type);
  const std::uint64_t finite = ((std::uint64_t{1} << layout.exponentBits) - 1)
                               << layout.mantissaBits;  // below the last binade
  const int signBit = layout.exponentBits + layout.mantissaBits;
  for (std::uint64_t bits = 0; bits < finite; ++bits) {
    ASSERT_EQ(bitsOfReal(type, realOf(type, bits)), bits);
    const std::uint64_t negative = bits | std::uint64_t{1} << signBit;
    ASSERT_EQ(bitsOfReal(type, realOf(type, negative)), negative);
  }
}

TEST_P(NarrowType, ExactIntegers_AreAsManyAsClaimed) {
  const DataType type = GetParam();
  const std::uint64_t limit = exactIntegers(type);
  for (std::uint64_t i = 0; i <= limit; ++i) {
    ASSERT_EQ(realOf(type, bitsOfReal(type, static_cast<double>(i))), static_cast<double>(i));
  }
  EXPECT_NE(realOf(type, bitsOfReal(type, static_cast<double>(limit + 1))), static_cast<double>(limit + 1));
}

TEST_P(NarrowType, Neighbours_AreOneUlpApart) {
  const DataType type = GetParam();
  EXPECT_EQ(ulpDistance(type, 5, 6), 1u);
  EXPECT_EQ(ulpDistance(type, 6, 5), 1u);
  EXPECT_EQ(ulpDistance(type, 6, 6), 0u);
  const std::uint64_t sign = std::uint64_t{1} << (sizeOf(type) * 8 - 1);
  EXPECT_EQ(ulpDistance(type, 1, sign | 1), 2u);
}

INSTANTIATE_TEST_SUITE_P(Types, NarrowType,
                         testing::Values(DataType::float16, DataType::bfloat16, DataType::float8e4m3,
                                         DataType::float8e5m2));

TEST(Element, Integers_ExtendTheirSign) {
  EXPECT_EQ(integerOf(DataType::int8, 0xff), ~std::uint64_t{0});
  EXPECT_EQ(integerOf(DataType::uint8, 0xff), 0xffu);
  EXPECT_EQ(integerOf(DataType::int32, 0x80000000u), 0xffffffff80000000u);
  EXPECT_EQ(integerOf(DataType::int64, 7), 7u);
}

}  // namespace
}  // namespace atl::perf
