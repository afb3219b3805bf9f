// SPDX-License-Identifier: Apache-2.0
// Test data for reductions: what each rank contributes, and what must come out, bit for bit, in any order of reduction.
//
// Exact in any order means that every partial result of every subset of the ranks is an element of the type, so that no
// operation rounds. With B the largest magnitude up to which all integers are elements (16 for float8e4m3):
//   sum, mulsum  floats: integers of magnitude ≤ B/n times a power of two that depends on the position only; with more
//   than B
//                ranks, only so many contribute ±1 at a position and the others zero. Integers: any bits, sums wrap.
//   prod         floats: ± powers of two of which few differ from 1, and one rank per position with a mantissa.
//   Integers:
//                any odd number, products wrap.
//   max, min     any finite, normal number.
//   avg          as sum, but sums never wrap. Integer results are exact (truncated); floats may differ by kAvgUlps, for
//   the
//                division rounds once in whatever precision the library divides in.
// Neither NaN nor −0 occurs, whose bits may depend on the order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/perf/reduction.h"
#include "src/base/types.h"

namespace atl::perf {

/// Tolerance of the check for averages of floating-point elements.
inline constexpr std::uint64_t kAvgUlps = 2;

/// The data of one (type, reduction, ranks). Positions repeat with a period that is prime, so that no slot, chunk or
/// block of a power of two can be taken for another.
class ReductionPattern {
 public:
  static constexpr std::size_t kPeriod = 8191;

  ReductionPattern(DataType type, Reduction reduction, int ranks);

  [[nodiscard]] DataType type() const { return type_; }
  [[nodiscard]] Reduction reduction() const { return reduction_; }
  [[nodiscard]] int ranks() const { return ranks_; }

  /// One rank's element at a position below kPeriod.
  [[nodiscard]] std::uint64_t contributionBits(int rank, std::size_t position) const;
  /// One rank's elements for a whole period.
  [[nodiscard]] std::vector<std::byte> contribution(int rank) const;
  /// The reduced elements for a whole period.
  [[nodiscard]] const std::vector<std::byte>& result() const { return result_; }

  /// mulsum: what a rank's contribution is multiplied by; 1 or 2.
  [[nodiscard]] static int factorOf(int rank) { return 1 + rank % 2; }

 private:
  [[nodiscard]] std::uint64_t summand(int rank, std::size_t position, std::uint64_t limit) const;
  [[nodiscard]] std::uint64_t averaged(int rank, std::size_t position) const;
  [[nodiscard]] std::uint64_t realFactor(int rank, std::size_t position) const;
  [[nodiscard]] std::uint64_t anyNumber(int rank, std::size_t position) const;
  [[nodiscard]] std::uint64_t resultBits(std::size_t position) const;
  [[nodiscard]] std::uint64_t realResult(std::size_t position) const;
  [[nodiscard]] std::uint64_t integerResult(std::size_t position) const;

  DataType type_;
  Reduction reduction_;
  int ranks_;
  std::vector<std::byte> result_;
};

}  // namespace atl::perf
