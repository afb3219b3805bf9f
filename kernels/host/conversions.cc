// SPDX-License-Identifier: Apache-2.0
// Single elements of the narrow floats to float32 and back. The vector kernels convert by the same rules with other
// means (narrow_codecs-inl.h); the tests hold the two together over every bit pattern.
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/host/kernels.h"
#include "kernels/narrow_formats.h"

namespace atl::kernels {
namespace {

template <class Bits>
Bits loadBits(const void* element) {
  Bits bits = 0;
  std::memcpy(&bits, element, sizeof bits);
  return bits;
}

template <class Bits>
void storeBits(void* element, std::uint32_t bits) {
  const Bits narrow = static_cast<Bits>(bits);
  std::memcpy(element, &narrow, sizeof narrow);
}

template <class Format>
float decode(std::uint32_t bits) {
  const std::uint32_t sign = bits >> (Format::kWidth - 1) << 31;
  const std::uint32_t magnitude = bits & ((1U << (Format::kWidth - 1)) - 1);
  const std::uint32_t mantissa = magnitude & ((1U << Format::kMantissaBits) - 1);
  const int exponent = static_cast<int>(magnitude >> Format::kMantissaBits);
  if (magnitude >= Format::kFirstSpecial) {
    return std::bit_cast<float>(sign | kFloat32Exponent | (mantissa << (23 - Format::kMantissaBits)));
  }
  const int unit = (exponent > 0 ? exponent : 1) - Format::kBias - Format::kMantissaBits;
  const std::uint32_t significand = mantissa | (exponent > 0 ? 1U << Format::kMantissaBits : 0);
  const float value = std::ldexp(static_cast<float>(significand), unit);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
}

template <class Format>
std::uint32_t encode(float value) {
  const std::uint32_t sign = std::bit_cast<std::uint32_t>(value) >> 31 << (Format::kWidth - 1);
  if (std::isnan(value)) return Format::kNaN;
  const float magnitude = std::fmin(std::fabs(value), Format::kCeiling);
  // The unit of the last place that the format has at this magnitude; a carry on rounding runs into the exponent.
  const int exponent = magnitude < Format::kSmallestNormal ? 1 - Format::kBias : std::ilogb(magnitude);
  const float units = std::nearbyint(std::ldexp(magnitude, Format::kMantissaBits - exponent));
  const auto leading = static_cast<std::uint32_t>(exponent + Format::kBias - 1) << Format::kMantissaBits;
  return sign | (leading + static_cast<std::uint32_t>(units));
}

float decodeBfloat16(std::uint32_t bits) {
  return std::bit_cast<float>(bits << 16);
}

std::uint32_t encodeBfloat16(float value) {
  if (std::isnan(value)) return kBfloat16NaN;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

}  // namespace

float toFloat32(DataType type, const void* element) {
  switch (type) {
    case DataType::float16: return decode<Float16>(loadBits<std::uint16_t>(element));
    case DataType::bfloat16: return decodeBfloat16(loadBits<std::uint16_t>(element));
    case DataType::float8e4m3: return decode<Float8E4M3>(loadBits<std::uint8_t>(element));
    case DataType::float8e5m2: return decode<Float8E5M2>(loadBits<std::uint8_t>(element));
    default: return 0;
  }
}

void fromFloat32(DataType type, float value, void* element) {
  switch (type) {
    case DataType::float16: return storeBits<std::uint16_t>(element, encode<Float16>(value));
    case DataType::bfloat16: return storeBits<std::uint16_t>(element, encodeBfloat16(value));
    case DataType::float8e4m3: return storeBits<std::uint8_t>(element, encode<Float8E4M3>(value));
    case DataType::float8e5m2: return storeBits<std::uint8_t>(element, encode<Float8E5M2>(value));
    default: return;
  }
}

}  // namespace atl::kernels
