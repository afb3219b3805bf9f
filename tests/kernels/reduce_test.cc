// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/host/kernels.h"
#include "tests/kernels/reference.h"
#include "tests/kernels/targets.h"

namespace atl::kernels::test {
namespace {

/// Sources and destination of one call, each `skew` elements off a cache line, with guard bytes around the destination.
class Operands {
 public:
  Operands(DataType type, int n, std::size_t count, std::size_t skew, bool specials)
      : type_(type), count_(count), skewBytes_(skew * sizeOf(type)) {
    for (int s = 0; s < n; ++s) {
      const std::vector<std::uint8_t> data = elements(type, count, static_cast<unsigned>(s), specials);
      std::vector<std::uint8_t> placed(skewBytes_ + count * sizeOf(type) + kGuard, kGuardByte);
      if (count > 0) std::memcpy(placed.data() + skewBytes_, data.data(), data.size());
      sources_.push_back(std::move(placed));
    }
    destination_.assign(skewBytes_ + count * sizeOf(type) + kGuard, kGuardByte);
    for (std::size_t i = 0; i < count; ++i) {
      inputs_.emplace_back();
      for (const auto& source : sources_) inputs_.back().push_back(bitsAt(type, source.data() + skewBytes_, i));
    }
  }

  /// Runs the kernel into the destination of its own, or in place of source `inPlace`; says what is wrong, or nothing.
  std::string run(ReduceOp op, int inPlace = -1) {
    std::vector<std::vector<std::uint8_t>> sources = sources_;
    std::vector<std::uint8_t> separate = destination_;
    std::vector<std::uint8_t>& target = inPlace < 0 ? separate : sources[static_cast<std::size_t>(inPlace)];
    std::vector<const void*> pointers;
    for (const auto& source : sources) pointers.push_back(source.data() + skewBytes_);
    reduceKernel(type_, op)(target.data() + skewBytes_, pointers.data(), static_cast<int>(pointers.size()), count_);

    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint64_t expected = foldedBits(type_, op, inputs_[i]);
      const std::uint64_t actual = bitsAt(type_, target.data() + skewBytes_, i);
      if (!sameElement(type_, expected, actual)) {
        return fmt::format("{} {} of {} sources, count {}, element {}: 0x{:x}, expected 0x{:x}", nameOf(type_),
                           nameOf(op), pointers.size(), count_, i, actual, expected);
      }
    }
    for (std::size_t i = 0; i < target.size(); ++i) {
      const bool guard = i >= skewBytes_ + count_ * sizeOf(type_) || (inPlace < 0 && i < skewBytes_);
      if (guard && target[i] != kGuardByte) {
        return fmt::format("{} {}, count {}: byte {} outside the destination was written", nameOf(type_), nameOf(op),
                           count_, i);
      }
    }
    return {};
  }

 private:
  static constexpr std::size_t kGuard = 64;
  static constexpr std::uint8_t kGuardByte = 0xa5;

  DataType type_;
  std::size_t count_;
  std::size_t skewBytes_;
  std::vector<std::vector<std::uint8_t>> sources_;
  std::vector<std::uint8_t> destination_;
  std::vector<std::vector<std::uint64_t>> inputs_;  ///< per element, the bits of each source
};

class Reduce : public testing::TestWithParam<DataType> {};

TEST_P(Reduce, EveryOpAndArity_MatchesTheReferenceOnEveryTarget) {
  for (int n = 1; n <= 9; ++n) {
    // Past the widest block of each type: 64 elements of 4 bytes, 256 of one.
    for (const std::size_t count : {0, 1, 3, 4, 15, 17, 63, 67, 128, 255, 301}) {
      Operands operands(GetParam(), n, count, 0, n % 2 == 0);
      forEachTarget([&] {
        for (const ReduceOp op : kAllOps) ASSERT_EQ(operands.run(op), "");
      });
    }
  }
}

TEST_P(Reduce, EveryCount_ReducesEveryElementAndNothingBeside) {
  for (std::size_t count = 0; count <= 300; ++count) {
    Operands two(GetParam(), 2, count, 0, true);
    Operands three(GetParam(), 3, count, 0, true);
    forEachTarget([&] {
      ASSERT_EQ(two.run(ReduceOp::sum), "");
      ASSERT_EQ(three.run(ReduceOp::prod), "");
    });
  }
}

TEST_P(Reduce, SkewedPointers_GiveTheSame) {
  for (std::size_t skew = 1; skew < 16; skew += 2) {
    for (const std::size_t count : {5, 61, 299}) {
      Operands operands(GetParam(), 3, count, skew, true);
      forEachTarget([&] {
        for (const ReduceOp op : kAllOps) ASSERT_EQ(operands.run(op), "");
      });
    }
  }
}

TEST_P(Reduce, InPlaceOfAnySource_GivesTheSame) {
  for (int n = 1; n <= 5; ++n) {
    for (const std::size_t count : {2, 31, 65, 129, 299}) {
      Operands operands(GetParam(), n, count, 1, true);
      forEachTarget([&] {
        for (int inPlace = 0; inPlace < n; ++inPlace) {
          for (const ReduceOp op : kAllOps)
            ASSERT_EQ(operands.run(op, inPlace), "") << "in place of source " << inPlace;
        }
      });
    }
  }
}

TEST_P(Reduce, LongFold_IsLeftToRight) {
  Operands operands(GetParam(), 40, 77, 0, false);
  forEachTarget([&] {
    for (const ReduceOp op : kAllOps) ASSERT_EQ(operands.run(op), "");
  });
}

INSTANTIATE_TEST_SUITE_P(Types, Reduce, testing::ValuesIn(kAllTypes),
                         [](const auto& param) { return std::string(nameOf(param.param)); });

/// Every pair of 8-bit patterns, of every operator: nothing about the types is left to sampling.
TEST(Reduce8Bit, EveryPairOfPatterns_MatchesTheReference) {
  std::vector<std::uint8_t> left;
  std::vector<std::uint8_t> right;
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      left.push_back(static_cast<std::uint8_t>(a));
      right.push_back(static_cast<std::uint8_t>(b));
    }
  }
  for (const DataType type : {DataType::int8, DataType::uint8, DataType::float8e4m3, DataType::float8e5m2}) {
    for (const ReduceOp op : {ReduceOp::sum, ReduceOp::prod, ReduceOp::max, ReduceOp::min}) {
      std::vector<std::uint8_t> expected(left.size());
      for (std::size_t i = 0; i < left.size(); ++i) {
        expected[i] = static_cast<std::uint8_t>(foldedBits(type, op, {left[i], right[i]}));
      }
      forEachTarget([&] {
        std::vector<std::uint8_t> result(left.size());
        const void* const sources[] = {left.data(), right.data()};
        reduceKernel(type, op)(result.data(), sources, 2, result.size());
        ASSERT_EQ(result, expected) << nameOf(type) << " " << nameOf(op);
      });
    }
  }
}

/// Adding zero decodes and encodes every 16-bit pattern in the vector code.
TEST(Reduce16Bit, EveryPattern_PlusNegativeZeroIsItself_AndNaNsBecomeOne) {
  std::vector<std::uint16_t> patterns(1U << 16);
  for (std::size_t i = 0; i < patterns.size(); ++i) patterns[i] = static_cast<std::uint16_t>(i);
  const std::vector<std::uint16_t> zeros(patterns.size(), 0x8000);
  for (const DataType type : {DataType::float16, DataType::bfloat16}) {
    forEachTarget([&] {
      std::vector<std::uint16_t> result(patterns.size());
      const void* const sources[] = {patterns.data(), zeros.data()};
      reduceKernel(type, ReduceOp::sum)(result.data(), sources, 2, result.size());
      for (std::size_t i = 0; i < patterns.size(); ++i) {
        ASSERT_EQ(result[i], isNaNBits(type, i) ? 0x7fff : patterns[i]) << nameOf(type);
      }
    });
  }
}

/// Three 16-bit operands whose running sum needs more bits than the type has: rounding at each step would lose the
/// tail.
TEST(Reduce16Bit, Fold_RoundsOnceAtItsEnd) {
  for (const DataType type : {DataType::float16, DataType::bfloat16}) {
    const float small = type == DataType::float16 ? 0x1p-12F : 0x1p-9F;  // a quarter of the last place of 1
    std::uint16_t one = 0;
    std::uint16_t quarter = 0;
    std::uint16_t oneAndAnUlp = 0;
    fromFloat32(type, 1.0F, &one);
    fromFloat32(type, small, &quarter);
    fromFloat32(type, 1.0F + 4 * small, &oneAndAnUlp);
    forEachTarget([&] {
      std::uint16_t result = 0;
      const void* const sources[] = {&one, &quarter, &quarter, &quarter};
      reduceKernel(type, ReduceOp::sum)(&result, sources, 4, 1);
      EXPECT_EQ(result, oneAndAnUlp) << nameOf(type);
    });
  }
}

}  // namespace
}  // namespace atl::kernels::test
