// SPDX-License-Identifier: Apache-2.0
// Element values as the data check sees them: bits, exact numbers, and distance in units of the last place.
//
// The check converts 8- and 16-bit floats by its own code, not with the library's kernels, so that a wrong conversion
// there cannot hide itself here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/base/types.h"

namespace atl::perf {

/// True for the six floating-point types.
bool isReal(DataType type);
/// True for int8, int32 and int64.
bool isSigned(DataType type);

/// How a floating-point type spends its bits. The sign takes one more.
struct FloatLayout {
  int exponentBits = 0;
  int mantissaBits = 0;
  [[nodiscard]] int bias() const { return (1 << (exponentBits - 1)) - 1; }
};
FloatLayout floatLayoutOf(DataType type);

/// The largest M such that every integer of magnitude ≤ M is an element: 2^(mantissa bits + 1) for floats, the largest
/// value for integers.
std::uint64_t exactIntegers(DataType type);

/// The element's bits in the low end of a word, and back.
std::uint64_t loadBits(DataType type, const void* element);
void storeBits(DataType type, std::uint64_t bits, void* element);

/// The value of a floating-point element (every one of the types fits in a double).
double realOf(DataType type, std::uint64_t bits);
/// The floating-point element nearest to `value`, ties to even. The value is within the type's finite range.
std::uint64_t bitsOfReal(DataType type, double value);

/// The value of an integer element, sign-extended to 64 bits where the type is signed.
std::uint64_t integerOf(DataType type, std::uint64_t bits);

/// Number of elements of the type between two: 0 when equal, 1 for neighbours. For floating-point elements.
std::uint64_t ulpDistance(DataType type, std::uint64_t a, std::uint64_t b);

}  // namespace atl::perf
