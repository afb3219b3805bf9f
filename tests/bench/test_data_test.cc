// SPDX-License-Identifier: Apache-2.0
// The check must catch: one wrong element, one wrong bit, a missing write, an element too far. For every type.
#include "bench/perf/test_data.h"

#include <gtest/gtest.h>

#include "bench/perf/element.h"

namespace atl::perf {
namespace {

constexpr std::uint64_t kSeed = 3;

class CheckedType : public testing::TestWithParam<DataType> {
 protected:
  [[nodiscard]] DataType type() const { return GetParam(); }
  [[nodiscard]] std::size_t size() const { return sizeOf(GetParam()); }
};

/// Long enough for several periods, and odd.
constexpr std::size_t kCount = 2 * ReductionPattern::kPeriod + 31;

TEST_P(CheckedType, RightData_HasNothingWrong) {
  const TestData data(type(), sharedPattern(type(), Reduction::sum, 3), 1);
  for (const Content& content : {Content::message(9), Content::contribution(1, 7), Content::reduction(11)}) {
    const Layout layout = {{5, kCount, content}};
    std::vector<std::byte> buffer(extentOf(layout) * size());
    data.fill(layout, kSeed, buffer.data());
    EXPECT_EQ(data.countWrong(layout, kSeed, buffer.data()), 0u);
  }
}

TEST_P(CheckedType, OneBit_IsOneWrongElement) {
  for (const auto& [reduction, content] :
       {std::pair{Reduction::sum, Content::message(9)}, std::pair{Reduction::sum, Content::reduction(0)},
        std::pair{Reduction::max, Content::reduction(4)}, std::pair{Reduction::prod, Content::reduction(0)}}) {
    const TestData data(type(), sharedPattern(type(), reduction, 3), 0);
    const Layout layout = {{0, kCount, content}};
    std::vector<std::byte> buffer(kCount * size());
    data.fill(layout, kSeed, buffer.data());
    for (const std::size_t element : {std::size_t{0}, std::size_t{1}, kCount / 2, kCount - 1}) {
      for (std::size_t bit = 0; bit < 8 * size(); ++bit) {
        std::byte& byte = buffer[element * size() + bit / 8];
        const std::byte mask{static_cast<unsigned char>(1u << bit % 8)};
        byte ^= mask;
        ASSERT_EQ(data.countWrong(layout, kSeed, buffer.data()), 1u) << "element " << element << " bit " << bit;
        byte ^= mask;
      }
    }
  }
}

TEST_P(CheckedType, EveryElementWrong_IsCounted) {
  for (const Reduction reduction : {Reduction::sum, Reduction::avg}) {
    const TestData data(type(), sharedPattern(type(), reduction, 3), 0);
    const Layout layout = {{2, kCount, Content::reduction(1)}};
    std::vector<std::byte> buffer(extentOf(layout) * size());
    data.fillWrong(layout, kSeed, buffer.data());
    EXPECT_EQ(data.countWrong(layout, kSeed, buffer.data()), kCount);
  }
}

TEST_P(CheckedType, LastRunsData_IsWrong) {
  const TestData data(type(), sharedPattern(type(), Reduction::sum, 3), 0);
  for (const Content& content : {Content::message(9), Content::reduction(0)}) {
    const Layout layout = {{0, kCount, content}};
    std::vector<std::byte> buffer(kCount * size());
    data.fill(layout, kSeed, buffer.data());
    EXPECT_GT(data.countWrong(layout, kSeed + 1, buffer.data()), kCount / 2);
  }
}

TEST_P(CheckedType, AnotherRanksMessage_IsWrong) {
  const TestData data(type(), nullptr, 0);
  std::vector<std::byte> buffer(kCount * size());
  data.fill({{0, kCount, Content::message(4)}}, kSeed, buffer.data());
  EXPECT_GT(data.countWrong({{0, kCount, Content::message(5)}}, kSeed, buffer.data()), kCount * 9 / 10);
}

TEST_P(CheckedType, AShiftByOneElement_IsWrong) {
  const TestData data(type(), sharedPattern(type(), Reduction::sum, 3), 0);
  for (const Content& content : {Content::message(9), Content::reduction(0)}) {
    std::vector<std::byte> buffer((kCount + 1) * size());
    data.fill({{1, kCount, content}}, kSeed, buffer.data());
    EXPECT_GT(data.countWrong({{0, kCount, content}}, kSeed, buffer.data()), kCount / 2);
  }
}

TEST_P(CheckedType, Average_IsExactForIntegersAndWithinTwoUlpsForFloats) {
  const TestData data(type(), sharedPattern(type(), Reduction::avg, 3), 0);
  const Layout layout = {{0, 100, Content::reduction(0)}};
  std::vector<std::byte> buffer(100 * size());
  data.fill(layout, kSeed, buffer.data());
  std::byte* const element = &buffer[50 * size()];
  // Raised in magnitude, so that zero is not crossed.
  const std::uint64_t bits = loadBits(type(), element);
  for (std::uint64_t off = 1; off <= 4; ++off) {
    storeBits(type(), bits + off, element);
    const std::uint64_t expected = isReal(type()) && off <= kAvgUlps ? 0 : 1;
    EXPECT_EQ(data.countWrong(layout, kSeed, buffer.data()), expected) << "off by " << off;
  }
}

TEST_P(CheckedType, EmptyLayout_HasNothingWrong) {
  const TestData data(type(), nullptr, 0);
  EXPECT_EQ(extentOf({}), 0u);
  EXPECT_EQ(data.countWrong({}, kSeed, nullptr), 0u);
  const std::byte nothing{};
  EXPECT_EQ(data.countWrong({{0, 0, Content::message(1)}}, kSeed, &nothing), 0u);
}

INSTANTIATE_TEST_SUITE_P(Types, CheckedType,
                         testing::Values(DataType::int8, DataType::uint8, DataType::int32, DataType::uint32,
                                         DataType::int64, DataType::uint64, DataType::float16, DataType::float32,
                                         DataType::float64, DataType::bfloat16, DataType::float8e4m3,
                                         DataType::float8e5m2),
                         [](const auto& instance) { return std::string(nameOf(instance.param)); });

TEST(SharedPattern, SameQuestion_GivesTheSameObject) {
  const auto a = sharedPattern(DataType::float32, Reduction::sum, 4);
  EXPECT_EQ(sharedPattern(DataType::float32, Reduction::sum, 4), a);
  EXPECT_NE(sharedPattern(DataType::float32, Reduction::sum, 5), a);
}

}  // namespace
}  // namespace atl::perf
