// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/host/kernels.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/targets.h"

namespace atl::kernels::test {
namespace {

constexpr std::size_t kCounts[] = {0, 1, 2, 5, 33, 64, 127, 300};

class FinishAndScale : public testing::TestWithParam<DataType> {};

TEST_P(FinishAndScale, Average_DividesEveryElement) {
  const DataType type = GetParam();
  for (const std::size_t count : kCounts) {
    const std::vector<std::uint8_t> input = elements(type, count, 7, true);
    for (const int ranks : {1, 2, 3, 7, 128, 1000, 100000}) {
      forEachTarget([&] {
        std::vector<std::uint8_t> data = input;
        finishKernel(type, ReduceOp::avg)(data.data(), count, ranks);
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint64_t expected = averagedBits(type, bitsAt(type, input.data(), i), ranks);
          ASSERT_TRUE(sameElement(type, bitsAt(type, data.data(), i), expected))
              << nameOf(type) << " / " << ranks << ", element " << i << " of " << count;
        }
      });
    }
  }
}

TEST_P(FinishAndScale, OtherOperators_NeedNoFinishing) {
  for (const ReduceOp op : {ReduceOp::sum, ReduceOp::prod, ReduceOp::max, ReduceOp::min}) {
    EXPECT_EQ(finishKernel(GetParam(), op), nullptr);
  }
}

TEST_P(FinishAndScale, Scale_MultipliesEveryElement_AlsoInPlace) {
  const DataType type = GetParam();
  const std::vector<std::uint8_t> factors = elements(type, 6, 11, false);
  for (const std::size_t count : kCounts) {
    const std::vector<std::uint8_t> input = elements(type, count, 8, true);
    for (std::size_t f = 0; f < 6; ++f) {
      const void* const factor = factors.data() + f * sizeOf(type);
      forEachTarget([&] {
        std::vector<std::uint8_t> apart(input.size());
        std::vector<std::uint8_t> inPlace = input;
        scaleKernel(type)(apart.data(), input.data(), factor, count);
        scaleKernel(type)(inPlace.data(), inPlace.data(), factor, count);
        for (std::size_t i = 0; i < count; ++i) {
          const std::uint64_t expected = scaledBits(type, bitsAt(type, input.data(), i), bitsAt(type, factor, 0));
          ASSERT_TRUE(sameElement(type, bitsAt(type, apart.data(), i), expected))
              << nameOf(type) << ", element " << i << " of " << count;
          ASSERT_TRUE(sameElement(type, bitsAt(type, inPlace.data(), i), expected))
              << nameOf(type) << " in place, element " << i << " of " << count;
        }
      });
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, FinishAndScale, testing::ValuesIn(kAllTypes),
                         [](const auto& param) { return std::string(nameOf(param.param)); });

TEST(IntegerAverage, NegativeElements_TruncateTowardsZero) {
  std::vector<std::int32_t> data = {-7, -1, 7, 1, -2147483647 - 1};
  finishKernel(DataType::int32, ReduceOp::avg)(data.data(), data.size(), 2);
  EXPECT_EQ(data, (std::vector<std::int32_t>{-3, 0, 3, 0, -1073741824}));
}

}  // namespace
}  // namespace atl::kernels::test
