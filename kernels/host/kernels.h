// SPDX-License-Identifier: Apache-2.0
// Host kernels: n-ary reductions, finishing, scaling and copies, SIMD with run-time dispatch (Google Highway).
//
// 16- and 8-bit floats are widened to float32, folded there, and rounded once, to nearest even. What does not fit
// becomes infinity in float16 and bfloat16. float8e4m3 and float8e5m2 follow the OCP 8-bit specification and saturate,
// as NCCL's conversions do: to ±448 for e4m3, which has no infinity, and to ±57344 for e5m2, whose infinities are read
// as such but, being larger than that, also come out as ±57344. A NaN comes out as a NaN: in the 16- and 8-bit floats
// always as the positive one with all mantissa bits set, which is also CUDA's; in float32 and float64 with a payload
// and sign that are not specified. max and min are IEEE 754-2019's maximum and minimum: a NaN of either side wins, and
// −0 is less than +0. Integers wrap.
//
// Results are the same bits whichever instruction set runs, but for the payloads of float32 and float64 NaNs.
#pragma once

#include <cstddef>

#include "src/base/types.h"

namespace atl::kernels {

/// destination[i] = (…(sources[0][i] ⊕ sources[1][i]) ⊕ …) ⊕ sources[n−1][i] for i < count, folded strictly left to
/// right in the accumulator's precision. `n` ≥ 1; 1 copies the bits as they are. The destination may equal any source
/// exactly; it may not overlap one otherwise. Pointers need only the element's own alignment.
using ReduceFn = void (*)(void* destination, const void* const* sources, int n, std::size_t count);

/// The reduction kernel for a type and operator; `avg` folds as `sum` (finishing divides). Never null.
ReduceFn reduceKernel(DataType type, ReduceOp op);

/// data[i] = data[i] / ranks, rounded as the type rounds (16- and 8-bit floats divide in float32); integers truncate
/// towards zero as C does. `ranks` ≥ 1.
using FinishFn = void (*)(void* data, std::size_t count, int ranks);

/// The finishing of an operator: for `avg` the division, for every other operator null.
FinishFn finishKernel(DataType type, ReduceOp op);

/// destination[i] = source[i] · *scalar, where scalar points to one element of the type. The destination may be the
/// source.
using ScaleFn = void (*)(void* destination, const void* source, const void* scalar, std::size_t count);

/// The scaling kernel for a type, for premulsum. Never null.
ScaleFn scaleKernel(DataType type);

/// memcpy for large transfers: streams past the cache (non-temporal stores) when `bytes` exceeds
/// `streamingThreshold()`.
void copyBytes(void* destination, const void* source, std::size_t bytes);

/// A copy that always writes around the cache: for memory that another core will read next and that this one will not.
void streamBytes(void* destination, const void* source, std::size_t bytes);

/// streamBytes() without its end: nothing of it may be announced to another core before fenceStreams().
void streamUnfenced(void* destination, const void* source, std::size_t bytes);

/// Orders what this thread wrote around the cache before what it stores next.
void fenceStreams();

/// Copies above this size use non-temporal stores; derived once from the last-level cache's size.
std::size_t streamingThreshold();

/// Size of the cache that a core has to itself (the second level), in bytes.
std::size_t coreCacheBytes();

/// Exact scalar conversions, for tests, data initialisation and checks.
float toFloat32(DataType type, const void* element);          ///< type is one of the 16- or 8-bit floats
void fromFloat32(DataType type, float value, void* element);  ///< rounds to nearest even; see the header on overflow

/// Name of the instruction set in use: "AVX2", "AVX3_ZEN4", "NEON", …
const char* targetName();

}  // namespace atl::kernels
