// SPDX-License-Identifier: Apache-2.0
#include "bench/perf/element.h"

#include <cmath>
#include <cstring>

namespace atl::perf {
namespace {

constexpr std::uint64_t lowBits(int n) {
  return n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
}

int widthOf(DataType type) {
  return static_cast<int>(sizeOf(type)) * 8;
}

/// Encodes into a layout narrower than float32.
std::uint64_t encodeNarrow(const FloatLayout& layout, double value) {
  const std::uint64_t sign = std::signbit(value) ? std::uint64_t{1} << (layout.exponentBits + layout.mantissaBits) : 0;
  const double magnitude = std::fabs(value);
  if (magnitude == 0) return sign;
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude = f · 2^exponent with f in [1/2, 1)
  // Below the smallest normal number the quantum no longer shrinks: those are the subnormals.
  const int normalExponent = std::max(exponent - 1, 1 - layout.bias());
  // In quanta; nearbyint rounds to even in the default rounding mode. A carry into the next binade needs no special
  // case: the fields are adjacent, and the sum below carries by itself.
  const auto quanta =
      static_cast<std::uint64_t>(std::nearbyint(std::ldexp(magnitude, layout.mantissaBits - normalExponent)));
  const std::uint64_t implicitOne = std::uint64_t{1} << layout.mantissaBits;
  if (quanta < implicitOne) return sign | quanta;
  const auto biased = static_cast<std::uint64_t>(normalExponent + layout.bias());
  return sign | ((biased << layout.mantissaBits) + (quanta - implicitOne));
}

double decodeNarrow(const FloatLayout& layout, std::uint64_t bits) {
  const std::uint64_t mantissa = bits & lowBits(layout.mantissaBits);
  const auto biased = static_cast<int>((bits >> layout.mantissaBits) & lowBits(layout.exponentBits));
  const bool negative = (bits >> (layout.exponentBits + layout.mantissaBits)) & 1;
  const int exponent = std::max(biased, 1) - layout.bias() - layout.mantissaBits;
  const std::uint64_t whole = biased == 0 ? mantissa : mantissa + (std::uint64_t{1} << layout.mantissaBits);
  const double magnitude = std::ldexp(static_cast<double>(whole), exponent);
  return negative ? -magnitude : magnitude;
}

}  // namespace

bool isReal(DataType type) {
  switch (type) {
    case DataType::float16:
    case DataType::float32:
    case DataType::float64:
    case DataType::bfloat16:
    case DataType::float8e4m3:
    case DataType::float8e5m2: return true;
    default: return false;
  }
}

bool isSigned(DataType type) {
  return type == DataType::int8 || type == DataType::int32 || type == DataType::int64;
}

FloatLayout floatLayoutOf(DataType type) {
  switch (type) {
    case DataType::float16: return {5, 10};
    case DataType::bfloat16: return {8, 7};
    case DataType::float8e4m3: return {4, 3};
    case DataType::float8e5m2: return {5, 2};
    case DataType::float64: return {11, 52};
    default: return {8, 23};
  }
}

std::uint64_t exactIntegers(DataType type) {
  if (isReal(type)) return std::uint64_t{1} << (floatLayoutOf(type).mantissaBits + 1);
  return lowBits(isSigned(type) ? widthOf(type) - 1 : widthOf(type));
}

std::uint64_t loadBits(DataType type, const void* element) {
  std::uint64_t bits = 0;  // little-endian, as everywhere in Atoll
  std::memcpy(&bits, element, sizeOf(type));
  return bits;
}

void storeBits(DataType type, std::uint64_t bits, void* element) {
  std::memcpy(element, &bits, sizeOf(type));
}

double realOf(DataType type, std::uint64_t bits) {
  if (type == DataType::float64) {
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (type == DataType::float32) {
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  return decodeNarrow(floatLayoutOf(type), bits);
}

std::uint64_t bitsOfReal(DataType type, double value) {
  std::uint64_t bits = 0;
  if (type == DataType::float64) {
    std::memcpy(&bits, &value, sizeof value);
    return bits;
  }
  if (type == DataType::float32) {
    const auto single = static_cast<float>(value);
    std::memcpy(&bits, &single, sizeof single);
    return bits;
  }
  return encodeNarrow(floatLayoutOf(type), value);
}

std::uint64_t integerOf(DataType type, std::uint64_t bits) {
  const int width = widthOf(type);
  if (!isSigned(type) || width == 64 || ((bits >> (width - 1)) & 1) == 0) return bits;
  return bits | ~lowBits(width);
}

std::uint64_t ulpDistance(DataType type, std::uint64_t a, std::uint64_t b) {
  // Sign and magnitude become one ordered line of integers: …, −1, ∓0, +1, …
  const std::uint64_t sign = std::uint64_t{1} << (widthOf(type) - 1);
  const bool sameSide = ((a ^ b) & sign) == 0;
  const std::uint64_t magnitudeA = a & (sign - 1);
  const std::uint64_t magnitudeB = b & (sign - 1);
  if (!sameSide) return magnitudeA + magnitudeB;
  return magnitudeA > magnitudeB ? magnitudeA - magnitudeB : magnitudeB - magnitudeA;
}

}  // namespace atl::perf
