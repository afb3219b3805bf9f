// SPDX-License-Identifier: Apache-2.0
// What the kernels should give, computed one element at a time and by other means: narrow floats are decoded and
// encoded by searching a table of every value of the format, and integers are computed modulo 2^64 and cut to the type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/base/types.h"

namespace atl::kernels::test {

inline constexpr DataType kAllTypes[] = {DataType::int8,     DataType::uint8,      DataType::int32,
                                         DataType::uint32,   DataType::int64,      DataType::uint64,
                                         DataType::float16,  DataType::float32,    DataType::float64,
                                         DataType::bfloat16, DataType::float8e4m3, DataType::float8e5m2};
inline constexpr DataType kNarrowFloats[] = {DataType::float16, DataType::bfloat16, DataType::float8e4m3,
                                             DataType::float8e5m2};
inline constexpr ReduceOp kAllOps[] = {ReduceOp::sum, ReduceOp::prod, ReduceOp::max, ReduceOp::min, ReduceOp::avg};

bool isFloat(DataType type);

/// The value of a bit pattern of a narrow float, from the definition of the format.
double narrowValue(DataType type, std::uint32_t bits);

/// The bit pattern nearest to the value, ties to even, saturating or overflowing as kernels.h promises.
std::uint32_t narrowBits(DataType type, float value);

/// One element, as its bits, of the fold of `bits` (each the bits of one source's element).
std::uint64_t foldedBits(DataType type, ReduceOp op, const std::vector<std::uint64_t>& bits);

/// One element divided by the number of ranks, and one multiplied by another.
std::uint64_t averagedBits(DataType type, std::uint64_t bits, int ranks);
std::uint64_t scaledBits(DataType type, std::uint64_t bits, std::uint64_t factor);

/// True for the bits of a NaN of a floating-point type.
bool isNaNBits(DataType type, std::uint64_t bits);

/// Equal bits; but a NaN of float32 or float64 equals any other, since its payload is not promised.
bool sameElement(DataType type, std::uint64_t a, std::uint64_t b);

/// Element `index` of an array, as its bits.
std::uint64_t bitsAt(DataType type, const void* data, std::size_t index);

/// Bytes that cover the type: every exponent, zeros of both signs, subnormals, infinities and NaNs, seeded by `stream`.
/// With `specials` off, floats are of moderate size, so that sums stay finite.
std::vector<std::uint8_t> elements(DataType type, std::size_t count, unsigned stream, bool specials);

}  // namespace atl::kernels::test
