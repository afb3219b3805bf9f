// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/pattern.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "bench/perf/element.h"
#include "bench/perf/mix.h"

namespace atl::perf {
namespace {

/// Salts that keep the draws of one position independent of each other.
enum Salt : std::uint64_t { saltValue = 1, saltWho, saltScale, saltSign, saltExponent, saltMantissa, saltBase };

std::uint64_t draw(Salt salt, std::size_t position) {
  return mix(salt, position);
}
std::uint64_t draw(Salt salt, int rank, std::size_t position) {
  return mix((std::uint64_t{salt} << 56) | static_cast<std::uint64_t>(rank), position);
}

/// Ranks are dealt into groups of at most `limit` members; only one group's ranks contribute at a position.
bool contributes(int rank, int ranks, std::uint64_t limit, std::size_t position) {
  const std::uint64_t groups = (static_cast<std::uint64_t>(ranks) - 1) / limit + 1;
  return (static_cast<std::uint64_t>(rank) + draw(saltWho, position)) % groups == 0;
}

/// 2^-3 … 2^3: the product with the exact integers stays within every type's range.
int scaleExponent(std::size_t position) {
  return static_cast<int>(draw(saltScale, position) % 7) - 3;
}

/// A whole number from −limit … limit.
double wholeWithin(std::uint64_t word, std::uint64_t limit) {
  return static_cast<double>(word % (2 * limit + 1)) - static_cast<double>(limit);
}

template <class T>
T pick(Reduction reduction, T a, T b) {
  return reduction == Reduction::max ? std::max(a, b) : std::min(a, b);
}

}  // namespace

ReductionPattern::ReductionPattern(DataType type, Reduction reduction, int ranks)
    : type_(type), reduction_(reduction), ranks_(ranks), result_(kPeriod * sizeOf(type)) {
  for (std::size_t p = 0; p < kPeriod; ++p) storeBits(type, resultBits(p), &result_[p * sizeOf(type)]);
}

std::vector<std::byte> ReductionPattern::contribution(int rank) const {
  std::vector<std::byte> elements(kPeriod * sizeOf(type_));
  for (std::size_t p = 0; p < kPeriod; ++p) storeBits(type_, contributionBits(rank, p), &elements[p * sizeOf(type_)]);
  return elements;
}

std::uint64_t ReductionPattern::contributionBits(int rank, std::size_t position) const {
  switch (reduction_) {
    case Reduction::sum: return summand(rank, position, exactIntegers(type_));
    case Reduction::mulsum: return summand(rank, position, exactIntegers(type_) / 2);  // half, for a factor of two
    case Reduction::avg: return averaged(rank, position);
    case Reduction::prod: return isReal(type_) ? realFactor(rank, position) : draw(saltValue, rank, position) | 1;
    case Reduction::max:
    case Reduction::min: return anyNumber(rank, position);
  }
  return 0;
}

std::uint64_t ReductionPattern::summand(int rank, std::size_t position, std::uint64_t limit) const {
  const std::uint64_t word = draw(saltValue, rank, position);
  if (!isReal(type_)) return word;
  if (!contributes(rank, ranks_, limit, position)) return 0;
  const std::uint64_t share = std::max<std::uint64_t>(1, limit / static_cast<std::uint64_t>(ranks_));
  return bitsOfReal(type_, std::ldexp(wholeWithin(word, share), scaleExponent(position)));
}

std::uint64_t ReductionPattern::averaged(int rank, std::size_t position) const {
  if (isReal(type_)) return summand(rank, position, exactIntegers(type_));
  const std::uint64_t limit = std::min(exactIntegers(type_), std::uint64_t{1} << 60);  // room for the sums below
  if (!contributes(rank, ranks_, limit, position)) return 0;
  const std::uint64_t share = std::max<std::uint64_t>(1, limit / static_cast<std::uint64_t>(ranks_));
  // Near one value at a position, so that averages are not all near nought: `middle`, give or take one.
  const std::uint64_t around = draw(saltValue, rank, position) % 3;
  if (!isSigned(type_)) {
    if (share < 3) return around % (share + 1);
    return draw(saltBase, position) % (share - 1) + around;
  }
  const auto signedShare = static_cast<std::int64_t>(share);
  std::int64_t middle = 0;
  if (signedShare > 1) {
    middle = static_cast<std::int64_t>(draw(saltBase, position) % (2 * (share - 1) + 1)) - (signedShare - 1);
  }
  return static_cast<std::uint64_t>(middle + static_cast<std::int64_t>(around) - 1);
}

std::uint64_t ReductionPattern::realFactor(int rank, std::size_t position) const {
  static constexpr std::array kMantissas = {1.0, 1.25, 1.5, 1.75};
  // 2^±4 times a mantissa is within float8e4m3 and float8e5m2, and far within the others.
  constexpr std::uint64_t kPowers = 4;
  const int exponent =
      contributes(rank, ranks_, kPowers, position) ? static_cast<int>(draw(saltExponent, rank, position) % 3) - 1 : 0;
  const bool mine =
      draw(saltMantissa, position) % static_cast<std::uint64_t>(ranks_) == static_cast<std::uint64_t>(rank);
  const double mantissa = mine ? kMantissas[draw(saltMantissa, rank, position) % kMantissas.size()] : 1.0;
  const double sign = draw(saltSign, rank, position) % 2 == 0 ? 1.0 : -1.0;
  return bitsOfReal(type_, std::ldexp(sign * mantissa, exponent));
}

std::uint64_t ReductionPattern::anyNumber(int rank, std::size_t position) const {
  const std::uint64_t word = draw(saltValue, rank, position);
  if (!isReal(type_)) return word;
  // Any sign and mantissa, and an exponent that is neither zero (subnormals, −0) nor the largest (infinities, NaN).
  const FloatLayout layout = floatLayoutOf(type_);
  const std::uint64_t exponents = (std::uint64_t{1} << layout.exponentBits) - 2;
  const std::uint64_t exponent = 1 + draw(saltExponent, rank, position) % exponents;
  const std::uint64_t mantissa = word & ((std::uint64_t{1} << layout.mantissaBits) - 1);
  const std::uint64_t sign = draw(saltSign, rank, position) & 1;
  return (sign << (layout.exponentBits + layout.mantissaBits)) | (exponent << layout.mantissaBits) | mantissa;
}

std::uint64_t ReductionPattern::resultBits(std::size_t position) const {
  return isReal(type_) ? realResult(position) : integerResult(position);
}

std::uint64_t ReductionPattern::realResult(std::size_t position) const {
  // A double holds every partial result exactly: the data was made so.
  double folded = 0;
  for (int rank = 0; rank < ranks_; ++rank) {
    const double value = realOf(type_, contributionBits(rank, position));
    if (rank == 0 && reduction_ != Reduction::mulsum) {
      folded = value;
      continue;
    }
    switch (reduction_) {
      case Reduction::sum:
      case Reduction::avg: folded += value; break;
      case Reduction::mulsum: folded += factorOf(rank) * value; break;
      case Reduction::prod: folded *= value; break;
      case Reduction::max:
      case Reduction::min: folded = pick(reduction_, folded, value); break;
    }
  }
  return bitsOfReal(type_, reduction_ == Reduction::avg ? folded / ranks_ : folded);
}

std::uint64_t ReductionPattern::integerResult(std::size_t position) const {
  std::uint64_t folded = 0;  // arithmetic modulo 2^64, which the type's own width is a part of
  for (int rank = 0; rank < ranks_; ++rank) {
    // The bits above the type's width are cut off first, as they are when the element is stored.
    std::uint64_t element = 0;
    storeBits(type_, contributionBits(rank, position), &element);
    const std::uint64_t value = integerOf(type_, element);
    if (rank == 0 && reduction_ != Reduction::mulsum) {
      folded = value;
      continue;
    }
    switch (reduction_) {
      case Reduction::sum:
      case Reduction::avg: folded += value; break;
      case Reduction::mulsum: folded += static_cast<std::uint64_t>(factorOf(rank)) * value; break;
      case Reduction::prod: folded *= value; break;
      case Reduction::max:
      case Reduction::min:
        folded = isSigned(type_) ? static_cast<std::uint64_t>(pick(reduction_, static_cast<std::int64_t>(folded),
                                                                   static_cast<std::int64_t>(value)))
                                 : pick(reduction_, folded, value);
        break;
    }
  }
  if (reduction_ != Reduction::avg) return folded;
  const auto ranks = static_cast<std::uint64_t>(ranks_);
  return isSigned(type_)
             ? static_cast<std::uint64_t>(static_cast<std::int64_t>(folded) / static_cast<std::int64_t>(ranks))
             : folded / ranks;
}

}  // namespace atl::perf
