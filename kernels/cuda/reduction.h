// SPDX-License-Identifier: Apache-2.0
// Reductions for device code to fold with (src/exec/cuda/device/fold.h): every type and operator, n operands in one
// pass, with the results of kernels/host/kernels.h bit for bit (but for payloads of float32 and float64 NaNs).
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/cuda/elements.h"
#include "kernels/cuda/packed_bytes.h"

namespace atl::kernels::device {

/// IEEE 754-2019's maximum or minimum: a NaN of either side wins, and −0 is less than +0.
template <bool largest, class T>
ATOLL_HOST_DEVICE T extreme(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
#ifdef __CUDA_ARCH__
    if constexpr (sizeof(T) == 4) {
      float result;
      if constexpr (largest) {
        asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
      } else {
        asm("min.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
      }
      return result;
    }
#endif
    if (a != a) return a;
    if (b != b) return b;
    if (a == b) {  // zeros of unlike signs: the sign bit tells
      using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
      const auto x = bitsAs<Bits>(a);
      const auto y = bitsAs<Bits>(b);
      return bitsAs<T>(largest ? x & y : x | y);
    }
  }
  return (a < b) == largest ? b : a;
}

template <ReduceOp op, class T>
ATOLL_HOST_DEVICE T combined(T a, T b) {
  if constexpr (op == ReduceOp::max || op == ReduceOp::min) {
    return extreme<op == ReduceOp::max>(a, b);
  } else if constexpr (op == ReduceOp::prod) {
    return product(a, b);
  } else if constexpr (std::is_floating_point_v<T>) {
    return a + b;
  } else {
    using Wrapping = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<Wrapping>(a) + static_cast<Wrapping>(b));
  }
}

/// A byte by any number of ranks gives what the wider type gives: −128 / 128 is −1.
template <class T>
ATOLL_HOST_DEVICE T divided(T value, std::int32_t ranks) {
  if constexpr (std::is_integral_v<T> && sizeof(T) < 4) {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int32_t, std::uint32_t>;
    return static_cast<T>(static_cast<Wide>(value) / static_cast<Wide>(ranks));
  } else {
    return value / static_cast<T>(ranks);
  }
}

template <DataType type>
inline constexpr bool kBytes = type == DataType::int8 || type == DataType::uint8;

template <DataType type>
struct WideSum {
  typename ElementsOf<type>::Folded at[ElementsOf<type>::kPerQuad];
};

/// A quad's elements while they are folded. Bytes stay in their words: sixteen of them in registers of their own would
/// be four times as much to do.
template <DataType type>
using SumOf = std::conditional_t<kBytes<type>, Quad, WideSum<type>>;

/// The Reduction (fold.h) of a type and an operator; `ranks` is what an average divides by.
template <DataType type, ReduceOp op>
class Reduction {
  using Elements = ElementsOf<type>;
  using Folded = typename Elements::Folded;

 public:
  using Sum = SumOf<type>;

  std::int32_t ranks = 1;

  ATOLL_HOST_DEVICE void begin(Sum& sum, const Quad& quad) const {
    if constexpr (kBytes<type>) {
      sum = quad;
    } else {
      Elements::load(quad, sum.at);
    }
  }

  ATOLL_HOST_DEVICE void add(Sum& sum, const Quad& quad) const {
    if constexpr (kBytes<type>) {
      for (int i = 0; i < 4; ++i) {
        sum.words[i] = combinedBytes<op, type == DataType::int8>(sum.words[i], quad.words[i]);
      }
    } else {
      Folded other[Elements::kPerQuad];
      Elements::load(quad, other);
      for (int i = 0; i < Elements::kPerQuad; ++i) sum.at[i] = combined<op>(sum.at[i], other[i]);
    }
  }

  ATOLL_HOST_DEVICE Quad end(const Sum& sum, bool finish) const {
    Quad quad;
    if constexpr (kBytes<type>) {
      quad = sum;
    } else {
      quad = Elements::store(sum.at);
    }
    if (op != ReduceOp::avg || !finish) return quad;
    // The sum is rounded before it is divided, as where the two are done one after the other.
    Folded quotients[Elements::kPerQuad];
    Elements::load(quad, quotients);
    for (Folded& quotient : quotients) quotient = divided(quotient, ranks);
    return Elements::store(quotients);
  }
};

}  // namespace atl::kernels::device
