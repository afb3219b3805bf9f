// SPDX-License-Identifier: Apache-2.0
// The 16- and 8-bit floating-point formats as numbers: what the conversions, scalar and vector, are written from.
//
// Results that are a NaN get one bit pattern per format, positive, the one that CUDA's conversions give.
#pragma once

#include <bit>
#include <cstdint>

namespace atl::kernels {

/// A format with fewer exponent bits than float32: fp16 and both fp8.
template <class Bits, int exponent, int mantissa>
struct SmallFloat {
  using Element = Bits;
  static constexpr int kWidth = 8 * static_cast<int>(sizeof(Bits));
  static_assert(kWidth == 1 + exponent + mantissa);
  static constexpr int kExponentBits = exponent;
  static constexpr int kMantissaBits = mantissa;
  static constexpr int kBias = (1 << (exponent - 1)) - 1;
  /// 2^(1−bias), the smallest normal value.
  static constexpr float kSmallestNormal = std::bit_cast<float>(std::uint32_t{128 - kBias} << 23);
};

struct Float16 : SmallFloat<std::uint16_t, 5, 10> {
  static constexpr std::uint32_t kFirstSpecial = 0x7c00;  ///< magnitudes from here on are infinity and NaN
  static constexpr float kCeiling = 65536.0F;  ///< larger magnitudes are as good as this one, which encodes as infinity
  static constexpr std::uint32_t kNaN = 0x7fff;
};

/// OCP E4M3: no infinity, one NaN, the largest finite value is 448.
struct Float8E4M3 : SmallFloat<std::uint8_t, 4, 3> {
  static constexpr std::uint32_t kFirstSpecial = 0x7f;
  static constexpr float kCeiling = 448.0F;
  static constexpr std::uint32_t kNaN = 0x7f;
};

/// OCP E5M2: infinities and NaNs are read, but conversions saturate at the largest finite value, 57344.
struct Float8E5M2 : SmallFloat<std::uint8_t, 5, 2> {
  static constexpr std::uint32_t kFirstSpecial = 0x7c;
  static constexpr float kCeiling = 57344.0F;
  static constexpr std::uint32_t kNaN = 0x7f;
};

/// bfloat16 is the upper half of a float32.
inline constexpr std::uint32_t kBfloat16NaN = 0x7fff;

inline constexpr std::uint32_t kFloat32Sign = 0x80000000;
inline constexpr std::uint32_t kFloat32Exponent =
    0x7f800000;  ///< also the bits of infinity; larger magnitudes are NaNs

}  // namespace atl::kernels
