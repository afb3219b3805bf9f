// SPDX-License-Identifier: Apache-2.0
// Elements of every type as they lie in a quad, and as they are while they are folded: 16- and 8-bit floats as float32,
// bytes as the words that they lie in, everything else as itself.
//
// Hosts compile it too, and get the same bits: that is how its logic is tested without a GPU. Where a GPU converts by
// itself, it does.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "kernels/narrow_formats.h"
#include "src/base/host_device.h"
#include "src/base/types.h"
#include "src/exec/cuda/device/quads.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#endif

namespace atl::kernels::device {

using atl::device::Quad;

template <class To, class From>
ATOLL_HOST_DEVICE To bitsAs(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}

/// Integers wrap, and narrow ones would be promoted to signed ones.
template <class T>
ATOLL_HOST_DEVICE T product(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a * b;
  } else {
    using Wrapping = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    return static_cast<T>(static_cast<Wrapping>(a) * static_cast<Wrapping>(b));
  }
}

// ---- narrow floats, one element as the lowest bits of a word

template <class Format>
ATOLL_HOST_DEVICE float decode(std::uint32_t bits) {
  constexpr std::uint32_t kMagnitude = (1U << (Format::kWidth - 1)) - 1;
  const std::uint32_t magnitude = bits & kMagnitude;
  const std::uint32_t sign = (bits >> (Format::kWidth - 1) & 1) << 31;
  if (magnitude >= Format::kFirstSpecial) {
    // All mantissa bits of a NaN are kept; what is special without a mantissa is infinity.
    return bitsAs<float>(sign | kFloat32Exponent |
                         (magnitude & ((1U << Format::kMantissaBits) - 1)) << (23 - Format::kMantissaBits));
  }
  const std::uint32_t rebias = static_cast<std::uint32_t>(127 - Format::kBias) << 23;
  const float plain = bitsAs<float>((magnitude << (23 - Format::kMantissaBits)) + rebias);
  // A subnormal lacks the leading one that float32 would give it.
  const bool subnormal = magnitude >> Format::kMantissaBits == 0;
  const float value = subnormal ? plain + plain - Format::kSmallestNormal : plain;
  return bitsAs<float>(bitsAs<std::uint32_t>(value) | sign);
}

template <class Format>
ATOLL_HOST_DEVICE std::uint32_t encode(float value) {
  constexpr int kDropped = 23 - Format::kMantissaBits;
  constexpr std::uint32_t kLowestExponent = std::bit_cast<std::uint32_t>(Format::kSmallestNormal);
  const std::uint32_t bits = bitsAs<std::uint32_t>(value);
  std::uint32_t magnitude = bits & ~kFloat32Sign;
  if (magnitude > kFloat32Exponent) return Format::kNaN;
  constexpr std::uint32_t kCeiling = std::bit_cast<std::uint32_t>(Format::kCeiling);
  if (magnitude > kCeiling) magnitude = kCeiling;
  // Adding a power of two leaves as many mantissa bits as the format has above the unit of the sum, and the addition
  // rounds the rest away, to nearest even.
  const std::uint32_t power = (magnitude > kLowestExponent ? magnitude : kLowestExponent) & kFloat32Exponent;
  const auto rounder = bitsAs<float>(power + (static_cast<std::uint32_t>(kDropped) << 23));
  const auto rounded = bitsAs<std::uint32_t>(bitsAs<float>(magnitude) + rounder);
  const std::uint32_t code = rounded - bitsAs<std::uint32_t>(rounder) + ((power - kLowestExponent) >> kDropped);
  return code | (bits >> 31) << (Format::kWidth - 1);
}

ATOLL_HOST_DEVICE inline std::uint32_t encodeBfloat16(float value) {
  const std::uint32_t bits = bitsAs<std::uint32_t>(value);
  if ((bits & ~kFloat32Sign) > kFloat32Exponent) return kBfloat16NaN;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// ---- elements of a quad

/// T's elements, folded as they are.
template <class T>
struct Plain {
  using Folded = T;
  static constexpr int kPerQuad = static_cast<int>(sizeof(Quad) / sizeof(T));
  struct Elements {
    T at[kPerQuad];
  };
  static ATOLL_HOST_DEVICE void load(const Quad& quad, T (&to)[kPerQuad]) {
    const auto elements = bitsAs<Elements>(quad);
    for (int i = 0; i < kPerQuad; ++i) to[i] = elements.at[i];
  }
  static ATOLL_HOST_DEVICE Quad store(const T (&from)[kPerQuad]) {
    Elements elements;
    for (int i = 0; i < kPerQuad; ++i) elements.at[i] = from[i];
    return bitsAs<Quad>(elements);
  }
};

/// Two 16-bit floats to the word. `Word` has unpack(word, low, high) and pack(low, high).
template <class Word>
struct Halves {
  using Folded = float;
  static constexpr int kPerQuad = 8;
  static ATOLL_HOST_DEVICE void load(const Quad& quad, float (&to)[kPerQuad]) {
    for (int i = 0; i < 4; ++i) Word::unpack(quad.words[i], to[2 * i], to[2 * i + 1]);
  }
  static ATOLL_HOST_DEVICE Quad store(const float (&from)[kPerQuad]) {
    Quad quad;
    for (int i = 0; i < 4; ++i) quad.words[i] = Word::pack(from[2 * i], from[2 * i + 1]);
    return quad;
  }
};

struct Bfloat16Word {
  static ATOLL_HOST_DEVICE void unpack(std::uint32_t word, float& low, float& high) {
    low = bitsAs<float>(word << 16);
    high = bitsAs<float>(word & 0xffff0000);
  }
  static ATOLL_HOST_DEVICE std::uint32_t pack(float low, float high) {
#ifdef __CUDA_ARCH__
    return bitsAs<std::uint32_t>(__floats2bfloat162_rn(low, high));
#else
    return encodeBfloat16(low) | encodeBfloat16(high) << 16;
#endif
  }
};

struct Float16Word {
  static ATOLL_HOST_DEVICE void unpack(std::uint32_t word, float& low, float& high) {
#ifdef __CUDA_ARCH__
    const float2 both = __half22float2(bitsAs<__half2>(word));
    low = both.x;
    high = both.y;
#else
    low = decode<Float16>(word & 0xffff);
    high = decode<Float16>(word >> 16);
#endif
  }
  static ATOLL_HOST_DEVICE std::uint32_t pack(float low, float high) {
#ifdef __CUDA_ARCH__
    return bitsAs<std::uint32_t>(__floats2half2_rn(low, high));
#else
    return encode<Float16>(low) | encode<Float16>(high) << 16;
#endif
  }
};

/// Four 8-bit floats to the word.
template <class Format>
struct Quarters {
  using Folded = float;
  static constexpr int kPerQuad = 16;
  static ATOLL_HOST_DEVICE void load(const Quad& quad, float (&to)[kPerQuad]) {
    for (int i = 0; i < kPerQuad; i += 2) unpack(quad.words[i / 4] >> (8 * (i % 4)), to[i], to[i + 1]);
  }
  static ATOLL_HOST_DEVICE Quad store(const float (&from)[kPerQuad]) {
    Quad quad{};
    for (int i = 0; i < kPerQuad; i += 2) quad.words[i / 4] |= pack(from[i], from[i + 1]) << (8 * (i % 4));
    return quad;
  }

 private:
#ifdef __CUDA_ARCH__
  static constexpr auto kKind = std::is_same_v<Format, Float8E4M3> ? __NV_E4M3 : __NV_E5M2;
#endif
  static ATOLL_HOST_DEVICE void unpack(std::uint32_t word, float& low, float& high) {
#ifdef __CUDA_ARCH__
    const __half2_raw halves = __nv_cvt_fp8x2_to_halfraw2(static_cast<__nv_fp8x2_storage_t>(word), kKind);
    const float2 both = __half22float2(halves);
    low = both.x;
    high = both.y;
#else
    low = decode<Format>(word & 0xff);
    high = decode<Format>(word >> 8 & 0xff);
#endif
  }
  static ATOLL_HOST_DEVICE std::uint32_t pack(float low, float high) {
#ifdef __CUDA_ARCH__
    return __nv_cvt_float2_to_fp8x2(make_float2(low, high), __NV_SATFINITE, kKind);
#else
    return encode<Format>(low) | encode<Format>(high) << 8;
#endif
  }
};

template <DataType type>
struct ElementsOf;
template <>
struct ElementsOf<DataType::int8> : Plain<std::int8_t> {};
template <>
struct ElementsOf<DataType::uint8> : Plain<std::uint8_t> {};
template <>
struct ElementsOf<DataType::int32> : Plain<std::int32_t> {};
template <>
struct ElementsOf<DataType::uint32> : Plain<std::uint32_t> {};
template <>
struct ElementsOf<DataType::int64> : Plain<std::int64_t> {};
template <>
struct ElementsOf<DataType::uint64> : Plain<std::uint64_t> {};
template <>
struct ElementsOf<DataType::float32> : Plain<float> {};
template <>
struct ElementsOf<DataType::float64> : Plain<double> {};
template <>
struct ElementsOf<DataType::float16> : Halves<Float16Word> {};
template <>
struct ElementsOf<DataType::bfloat16> : Halves<Bfloat16Word> {};
template <>
struct ElementsOf<DataType::float8e4m3> : Quarters<Float8E4M3> {};
template <>
struct ElementsOf<DataType::float8e5m2> : Quarters<Float8E5M2> {};

}  // namespace atl::kernels::device
