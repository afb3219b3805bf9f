// SPDX-License-Identifier: Apache-2.0
// The data's promise: reduced element by element in any order, with a rounding to the type after every single step, the
// result has exactly the promised bits. The reduction here is written apart from the pattern's own.
#include "bench/perf/pattern.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>
#include <tuple>

#include "bench/perf/element.h"

namespace atl::perf {
namespace {

/// a ⊕ b, rounded or wrapped to the type.
std::uint64_t stepReal(DataType type, Reduction reduction, std::uint64_t a, std::uint64_t b) {
  const double x = realOf(type, a);
  const double y = realOf(type, b);
  switch (reduction) {
    case Reduction::prod: return bitsOfReal(type, x * y);
    case Reduction::max: return x < y ? b : a;
    case Reduction::min: return y < x ? b : a;
    default: return bitsOfReal(type, x + y);
  }
}

std::uint64_t stepInteger(DataType type, Reduction reduction, std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  const std::uint64_t x = integerOf(type, a);
  const std::uint64_t y = integerOf(type, b);
  const bool less = isSigned(type) ? std::bit_cast<std::int64_t>(x) < std::bit_cast<std::int64_t>(y) : x < y;
  switch (reduction) {
    case Reduction::prod: out = x * y; break;
    case Reduction::max: out = less ? y : x; break;
    case Reduction::min: out = less ? x : y; break;
    default: out = x + y; break;
  }
  std::uint64_t stored = 0;
  storeBits(type, out, &stored);
  return stored;
}

std::uint64_t step(DataType type, Reduction reduction, std::uint64_t a, std::uint64_t b) {
  return isReal(type) ? stepReal(type, reduction, a, b) : stepInteger(type, reduction, a, b);
}

/// What a rank brings to the reduction, after mulsum's scaling.
std::uint64_t brought(const ReductionPattern& pattern, int rank, std::size_t position) {
  std::uint64_t element = 0;
  storeBits(pattern.type(), pattern.contributionBits(rank, position), &element);
  if (pattern.reduction() != Reduction::mulsum) return element;
  const int factor = ReductionPattern::factorOf(rank);
  if (isReal(pattern.type())) return bitsOfReal(pattern.type(), realOf(pattern.type(), element) * factor);
  std::uint64_t scaled = 0;
  storeBits(pattern.type(), element * static_cast<std::uint64_t>(factor), &scaled);
  return scaled;
}

std::uint64_t finished(DataType type, Reduction reduction, std::uint64_t folded, int ranks) {
  if (reduction != Reduction::avg) return folded;
  if (isReal(type)) return bitsOfReal(type, realOf(type, folded) / ranks);
  const std::uint64_t value = integerOf(type, folded);
  const std::uint64_t quotient = isSigned(type)
                                     ? std::bit_cast<std::uint64_t>(std::bit_cast<std::int64_t>(value) / ranks)
                                     : value / static_cast<std::uint64_t>(ranks);
  std::uint64_t stored = 0;
  storeBits(type, quotient, &stored);
  return stored;
}

std::uint64_t foldInOrder(const ReductionPattern& pattern, const std::vector<int>& order, std::size_t position) {
  std::uint64_t folded = brought(pattern, order[0], position);
  for (std::size_t i = 1; i < order.size(); ++i) {
    folded = step(pattern.type(), pattern.reduction(), folded, brought(pattern, order[i], position));
  }
  return finished(pattern.type(), pattern.reduction(), folded, pattern.ranks());
}

/// Pairs, then pairs of pairs: the shape of a tree.
std::uint64_t foldAsTree(const ReductionPattern& pattern, const std::vector<int>& order, std::size_t position) {
  std::vector<std::uint64_t> level;
  for (const int rank : order) level.push_back(brought(pattern, rank, position));
  while (level.size() > 1) {
    std::vector<std::uint64_t> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
      next.push_back(step(pattern.type(), pattern.reduction(), level[i], level[i + 1]));
    }
    if (level.size() % 2 == 1) next.push_back(level.back());
    level = std::move(next);
  }
  return finished(pattern.type(), pattern.reduction(), level[0], pattern.ranks());
}

class Pattern : public testing::TestWithParam<std::tuple<DataType, Reduction>> {
 protected:
  [[nodiscard]] DataType type() const { return std::get<0>(GetParam()); }
  [[nodiscard]] Reduction reduction() const { return std::get<1>(GetParam()); }

  void expectExact(int ranks, std::size_t stride) const {
    const ReductionPattern pattern(type(), reduction(), ranks);
    std::mt19937 random(static_cast<unsigned>(ranks));
    std::vector<int> order(static_cast<std::size_t>(ranks));
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t p = 0; p < ReductionPattern::kPeriod; p += stride) {
      const std::uint64_t expected = loadBits(type(), &pattern.result()[p * sizeOf(type())]);
      std::shuffle(order.begin(), order.end(), random);
      ASSERT_EQ(foldInOrder(pattern, order, p), expected) << ranks << " ranks, position " << p;
      ASSERT_EQ(foldAsTree(pattern, order, p), expected) << ranks << " ranks, position " << p;
    }
  }
};

TEST_P(Pattern, AnyOrder_GivesTheSameBits) {
  for (int ranks = 1; ranks <= 16; ++ranks) expectExact(ranks, 61);
}

TEST_P(Pattern, MoreRanksThanExactIntegers_StillExact) {
  for (const int ranks : {17, 300}) expectExact(ranks, 499);
}

class RealPattern : public Pattern {};

TEST_P(RealPattern, NoNumberHasDoubtfulBits) {
  const ReductionPattern pattern(type(), reduction(), 5);
  const std::uint64_t sign = std::uint64_t{1} << (sizeOf(type()) * 8 - 1);
  for (std::size_t p = 0; p < ReductionPattern::kPeriod; ++p) {
    for (int rank = 0; rank < 5; ++rank) {
      const std::uint64_t bits = pattern.contributionBits(rank, p);
      ASSERT_NE(bits, sign);
      ASSERT_TRUE(std::isfinite(realOf(type(), bits)));
    }
    ASSERT_NE(loadBits(type(), &pattern.result()[p * sizeOf(type())]), sign);
  }
}

TEST_P(Pattern, AMissingRank_ShowsAtManyPositions) {
  constexpr int kRanks = 4;
  const ReductionPattern pattern(type(), reduction(), kRanks);
  const std::vector<int> without = {0, 1, 3};
  int seen = 0;
  for (std::size_t p = 0; p < 200; ++p) {
    seen += foldInOrder(pattern, without, p) != loadBits(type(), &pattern.result()[p * sizeOf(type())]) ? 1 : 0;
  }
  EXPECT_GT(seen, 20);
}

constexpr std::array kReals = {DataType::float16,  DataType::float32,    DataType::float64,
                               DataType::bfloat16, DataType::float8e4m3, DataType::float8e5m2};
constexpr std::array kIntegers = {DataType::int8,   DataType::uint8, DataType::int32,
                                  DataType::uint32, DataType::int64, DataType::uint64};
constexpr std::array kAllReductions = {Reduction::sum, Reduction::prod, Reduction::max,
                                       Reduction::min, Reduction::avg,  Reduction::mulsum};

std::string nameOfCase(const testing::TestParamInfo<std::tuple<DataType, Reduction>>& instance) {
  return fmt::format("{}_{}", nameOf(std::get<0>(instance.param)), nameOf(std::get<1>(instance.param)));
}

INSTANTIATE_TEST_SUITE_P(Reals, Pattern, testing::Combine(testing::ValuesIn(kReals), testing::ValuesIn(kAllReductions)),
                         nameOfCase);
INSTANTIATE_TEST_SUITE_P(Integers, Pattern,
                         testing::Combine(testing::ValuesIn(kIntegers), testing::ValuesIn(kAllReductions)), nameOfCase);
INSTANTIATE_TEST_SUITE_P(Reals, RealPattern,
                         testing::Combine(testing::ValuesIn(kReals), testing::ValuesIn(kAllReductions)), nameOfCase);

}  // namespace
}  // namespace atl::perf
