// SPDX-License-Identifier: Apache-2.0
// The reductions of the CUDA kernels as hosts compile them, against the same reference as the host's own: element by
// element, for every type, operator and number of operands.
#include "kernels/cuda/reduction.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "kernels/cuda/scaling.h"
#include "tests/kernels/reference.h"

namespace atl::kernels::test {
namespace {

using atl::device::kQuadBytes;
using atl::device::Quad;

constexpr std::size_t kQuads = 200;

/// A fold of n operands by Reduction<type, op>, quad by quad; what is wrong, or nothing.
template <DataType type, ReduceOp op>
std::string folded(int n, bool finish, int ranks) {
  const std::size_t count = kQuads * kQuadBytes / sizeOf(type);
  std::vector<std::vector<std::uint8_t>> operands;
  for (int i = 0; i < n; ++i) operands.push_back(elements(type, count, static_cast<unsigned>(i), n % 2 == 0));
  const device::Reduction<type, op> reduction{ranks};
  for (std::size_t q = 0; q < kQuads; ++q) {
    Quad quad{};
    typename device::Reduction<type, op>::Sum sum{};
    for (int i = 0; i < n; ++i) {
      std::memcpy(&quad, operands[static_cast<std::size_t>(i)].data() + q * kQuadBytes, sizeof quad);
      i == 0 ? reduction.begin(sum, quad) : reduction.add(sum, quad);
    }
    quad = reduction.end(sum, finish);
    for (std::size_t e = 0; e < kQuadBytes / sizeOf(type); ++e) {
      std::vector<std::uint64_t> bits;
      for (const auto& operand : operands) bits.push_back(bitsAt(type, operand.data() + q * kQuadBytes, e));
      std::uint64_t expected = foldedBits(type, op, bits);
      if (finish && op == ReduceOp::avg) expected = averagedBits(type, expected, ranks);
      const std::uint64_t actual = bitsAt(type, &quad, e);
      if (!sameElement(type, expected, actual)) {
        return fmt::format("{} {} of {} operands, finished {}: 0x{:x}, expected 0x{:x}", nameOf(type), nameOf(op), n,
                           finish, actual, expected);
      }
    }
  }
  return {};
}

template <DataType type>
void everyOperator() {
  for (int n = 2; n <= 9; ++n) {
    EXPECT_EQ((folded<type, ReduceOp::sum>(n, true, n)), "");
    EXPECT_EQ((folded<type, ReduceOp::prod>(n, true, n)), "");
    EXPECT_EQ((folded<type, ReduceOp::max>(n, true, n)), "");
    EXPECT_EQ((folded<type, ReduceOp::min>(n, true, n)), "");
    EXPECT_EQ((folded<type, ReduceOp::avg>(n, false, n)), "");
    EXPECT_EQ((folded<type, ReduceOp::avg>(n, true, n)), "");
  }
  EXPECT_EQ((folded<type, ReduceOp::avg>(2, true, 128)), "");
}

template <DataType type>
void scalesByEveryFactor() {
  constexpr std::size_t kCount = 64;
  const auto from = elements(type, kCount, 1, true);
  const auto factors = elements(type, kCount, 2, true);
  for (std::size_t f = 0; f < kCount; ++f) {
    std::vector<std::uint8_t> to(from.size());
    device::Scaling scaling;
    scaling.to = reinterpret_cast<std::byte*>(to.data());
    scaling.from = reinterpret_cast<const std::byte*>(from.data());
    scaling.type = type;
    scaling.count = kCount;
    std::memcpy(scaling.value, factors.data() + f * sizeOf(type), sizeOf(type));
    device::scale(scaling, 0, 2);
    device::scale(scaling, 1, 2);
    for (std::size_t i = 0; i < kCount; ++i) {
      const std::uint64_t expected = scaledBits(type, bitsAt(type, from.data(), i), bitsAt(type, factors.data(), f));
      ASSERT_TRUE(sameElement(type, expected, bitsAt(type, to.data(), i))) << nameOf(type) << " element " << i;
    }
  }
}

/// `test.template operator()<type>()` for every type.
template <class Test>
void forEveryType(const Test& test) {
  test.template operator()<DataType::int8>();
  test.template operator()<DataType::uint8>();
  test.template operator()<DataType::int32>();
  test.template operator()<DataType::uint32>();
  test.template operator()<DataType::int64>();
  test.template operator()<DataType::uint64>();
  test.template operator()<DataType::float16>();
  test.template operator()<DataType::float32>();
  test.template operator()<DataType::float64>();
  test.template operator()<DataType::bfloat16>();
  test.template operator()<DataType::float8e4m3>();
  test.template operator()<DataType::float8e5m2>();
}

TEST(CudaReduction, EveryTypeAndOperator_MatchesTheReference) {
  forEveryType([]<DataType type>() { everyOperator<type>(); });
}

TEST(CudaReduction, EveryPairOfBytes_MatchesTheReference) {
  const auto pairs = []<DataType type, ReduceOp op>() {
    const device::Reduction<type, op> reduction{};
    for (std::uint32_t a = 0; a < 256; ++a) {
      for (std::uint32_t b = 0; b < 256; ++b) {
        // Neighbours differ, so that a carry into the next byte shows.
        const Quad first{{a | (b << 8) | (0xffU << 16) | (a << 24), 0, 0, 0}};
        const Quad second{{b | (a << 8) | (0x01U << 16) | (b << 24), 0, 0, 0}};
        typename device::Reduction<type, op>::Sum sum{};
        reduction.begin(sum, first);
        reduction.add(sum, second);
        const Quad result = reduction.end(sum, false);
        for (std::size_t e = 0; e < 4; ++e) {
          const std::uint64_t expected = foldedBits(type, op, {bitsAt(type, &first, e), bitsAt(type, &second, e)});
          ASSERT_TRUE(sameElement(type, expected, bitsAt(type, &result, e)))
              << nameOf(type) << ' ' << nameOf(op) << " of " << a << " and " << b << ", byte " << e;
        }
      }
    }
  };
  const auto everyOp = [&]<DataType type>() {
    pairs.template operator()<type, ReduceOp::sum>();
    pairs.template operator()<type, ReduceOp::prod>();
    pairs.template operator()<type, ReduceOp::max>();
    pairs.template operator()<type, ReduceOp::min>();
  };
  everyOp.template operator()<DataType::int8>();
  everyOp.template operator()<DataType::uint8>();
  everyOp.template operator()<DataType::float8e4m3>();
  everyOp.template operator()<DataType::float8e5m2>();
}

TEST(CudaReduction, Scaling_MatchesTheReference) {
  forEveryType([]<DataType type>() { scalesByEveryFactor<type>(); });
}

}  // namespace
}  // namespace atl::kernels::test
