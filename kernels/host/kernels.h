// SPDX-License-Identifier: Apache-2.0
// Host kernels: n-ary reductions, finishing, scaling and copies, SIMD with run-time dispatch (Google Highway).
//
// 16- and 8-bit floats are widened to float32, folded there, and rounded once, to nearest even. float8e4m3 and float8e5m2
// follow the OCP 8-bit specification: e4m3 has no infinity, and overflow saturates to ±448 (NaN stays NaN); e5m2 has
// infinities, and overflow saturates to ±57344 as NCCL's conversions do. Integers wrap. max and min of floats propagate a NaN of either side.
#pragma once

#include <cstddef>

#include "src/base/types.h"

namespace atl::kernels {

/// destination[i] = (…(sources[0][i] ⊕ sources[1][i]) ⊕ …) ⊕ sources[n−1][i] for i < count, folded strictly left to right
/// in the accumulator's precision. `n` ≥ 1 (1 copies). The destination may equal any source exactly; it may not overlap one
/// otherwise. Pointers need only the element's own alignment.
using ReduceFn = void (*)(void* destination, const void* const* sources, int n, std::size_t count);

/// The reduction kernel for a type and operator; `avg` folds as `sum` (finishing divides). Never null.
ReduceFn reduceKernel(DataType type, ReduceOp op);

/// data[i] = data[i] / ranks, rounded as the type rounds; integers truncate towards zero as C does.
using FinishFn = void (*)(void* data, std::size_t count, int ranks);

/// The finishing of an operator: for `avg` the division, for every other operator null.
FinishFn finishKernel(DataType type, ReduceOp op);

/// destination[i] = source[i] · *scalar, where scalar points to one element of the type. For premulsum.
using ScaleFn = void (*)(void* destination, const void* source, const void* scalar, std::size_t count);
ScaleFn scaleKernel(DataType type);

/// memcpy for large transfers: streams past the cache (non-temporal stores) when `bytes` exceeds `streamingThreshold()`.
void copyBytes(void* destination, const void* source, std::size_t bytes);

/// Copies above this size use non-temporal stores; derived once from the last-level cache's size.
std::size_t streamingThreshold();

/// Exact scalar conversions, for tests, data initialisation and checks.
float toFloat32(DataType type, const void* element);         ///< type is one of the 16- or 8-bit floats
void fromFloat32(DataType type, float value, void* element); ///< rounds to nearest even; see the header on overflow

/// Name of the instruction set in use: "AVX2", "AVX3_ZEN4", "NEON", …
const char* targetName();

}  // namespace atl::kernels
