// SPDX-License-Identifier: Apache-2.0
#include "tests/kernels/reference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

namespace atl::kernels::test {
namespace {

struct Layout {
  int width, exponentBits, mantissaBits;
};

Layout layoutOf(DataType type) {
  switch (type) {
    case DataType::float16: return {16, 5, 10};
    case DataType::bfloat16: return {16, 8, 7};
    case DataType::float8e4m3: return {8, 4, 3};
    default: return {8, 5, 2};
  }
}

bool isNarrowFloat(DataType type) {
  return std::ranges::find(kNarrowFloats, type) != std::ranges::end(kNarrowFloats);
}

/// Every finite non-negative value of a format, ascending; the index is the bit pattern.
const std::vector<double>& finiteValues(DataType type) {
  static std::map<DataType, std::vector<double>> tables;
  std::vector<double>& table = tables[type];
  if (table.empty()) {
    for (std::uint32_t bits = 0; std::isfinite(narrowValue(type, bits)); ++bits)
      table.push_back(narrowValue(type, bits));
  }
  return table;
}

template <class T>
T as(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T>
std::uint64_t asBits(T value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

/// IEEE 754-2019 minimum and maximum, by their words.
template <class T>
T extreme(bool greatest, T a, T b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
  if (a == 0 && b == 0) return (greatest ? std::signbit(a) : !std::signbit(a)) ? b : a;
  return (a > b) == greatest ? a : b;
}

template <class T>
T combineFloats(ReduceOp op, T a, T b) {
  switch (op) {
    case ReduceOp::prod: return a * b;
    case ReduceOp::max: return extreme(true, a, b);
    case ReduceOp::min: return extreme(false, a, b);
    default: return a + b;
  }
}

template <class T>
std::uint64_t foldIntegers(ReduceOp op, const std::vector<std::uint64_t>& bits) {
  std::uint64_t acc = bits[0];
  for (std::size_t s = 1; s < bits.size(); ++s) {
    switch (op) {
      case ReduceOp::prod: acc *= bits[s]; break;
      case ReduceOp::max: acc = asBits(std::max(as<T>(acc), as<T>(bits[s]))); break;
      case ReduceOp::min: acc = asBits(std::min(as<T>(acc), as<T>(bits[s]))); break;
      default: acc += bits[s]; break;
    }
  }
  return asBits(as<T>(acc));
}

template <class T>
std::uint64_t foldFloats(ReduceOp op, const std::vector<std::uint64_t>& bits) {
  T acc = as<T>(bits[0]);
  for (std::size_t s = 1; s < bits.size(); ++s) acc = combineFloats(op, acc, as<T>(bits[s]));
  return asBits(acc);
}

float narrowFloat(DataType type, std::uint64_t bits) {
  return static_cast<float>(narrowValue(type, static_cast<std::uint32_t>(bits)));
}

template <class T>
std::uint64_t averageInteger(std::uint64_t bits, int ranks) {
  // Away from the type's own width: the quotient's magnitude first, then its sign.
  const T value = as<T>(bits);
  const bool negative = value < T{0};
  const std::uint64_t magnitude = negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const std::uint64_t quotient = magnitude / static_cast<std::uint64_t>(ranks);
  return asBits(static_cast<T>(negative ? 0 - quotient : quotient));
}

}  // namespace

bool isFloat(DataType type) {
  return isNarrowFloat(type) || type == DataType::float32 || type == DataType::float64;
}

double narrowValue(DataType type, std::uint32_t bits) {
  const Layout layout = layoutOf(type);
  const std::uint32_t mantissa = bits & ((1U << layout.mantissaBits) - 1);
  const std::uint32_t exponent = (bits >> layout.mantissaBits) & ((1U << layout.exponentBits) - 1);
  const bool negative = (bits >> (layout.width - 1)) != 0;
  const std::uint32_t top = (1U << layout.exponentBits) - 1;
  const int bias = (1 << (layout.exponentBits - 1)) - 1;
  double value = 0;
  if (type == DataType::float8e4m3 && exponent == top && mantissa == 7) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (type != DataType::float8e4m3 && exponent == top) {
    value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    value = mantissa * std::pow(2.0, 1 - bias - layout.mantissaBits);
  } else {
    value = (1.0 + mantissa / std::pow(2.0, layout.mantissaBits)) * std::pow(2.0, static_cast<int>(exponent) - bias);
  }
  return negative ? -value : value;
}

std::uint32_t narrowBits(DataType type, float value) {
  const Layout layout = layoutOf(type);
  if (std::isnan(value)) return layout.width == 16 ? 0x7fff : 0x7f;
  const std::vector<double>& values = finiteValues(type);
  const std::uint32_t sign = std::signbit(value) ? 1U << (layout.width - 1) : 0;
  const double magnitude = std::fabs(static_cast<double>(value));
  const auto above = std::ranges::lower_bound(values, magnitude);
  if (above == values.end()) {
    const auto largest = static_cast<std::uint32_t>(values.size() - 1);
    if (layout.width == 8) return sign | largest;
    const double halfUnit = (values[largest] - values[largest - 1]) / 2;
    return sign | (magnitude < values[largest] + halfUnit ? largest : largest + 1);
  }
  const auto upper = static_cast<std::uint32_t>(above - values.begin());
  if (*above == magnitude) return sign | upper;
  const double toUpper = *above - magnitude;
  const double toLower = magnitude - *(above - 1);
  if (toUpper == toLower) return sign | (upper % 2 == 0 ? upper : upper - 1);
  return sign | (toUpper < toLower ? upper : upper - 1);
}

std::uint64_t foldedBits(DataType type, ReduceOp op, const std::vector<std::uint64_t>& bits) {
  if (bits.size() == 1) return bits[0];
  switch (type) {
    case DataType::int8: return foldIntegers<std::int8_t>(op, bits);
    case DataType::uint8: return foldIntegers<std::uint8_t>(op, bits);
    case DataType::int32: return foldIntegers<std::int32_t>(op, bits);
    case DataType::uint32: return foldIntegers<std::uint32_t>(op, bits);
    case DataType::int64: return foldIntegers<std::int64_t>(op, bits);
    case DataType::uint64: return foldIntegers<std::uint64_t>(op, bits);
    case DataType::float32: return foldFloats<float>(op, bits);
    case DataType::float64: return foldFloats<double>(op, bits);
    default: break;
  }
  float acc = narrowFloat(type, bits[0]);
  for (std::size_t s = 1; s < bits.size(); ++s) acc = combineFloats(op, acc, narrowFloat(type, bits[s]));
  return narrowBits(type, acc);
}

std::uint64_t averagedBits(DataType type, std::uint64_t bits, int ranks) {
  switch (type) {
    case DataType::int8: return averageInteger<std::int8_t>(bits, ranks);
    case DataType::uint8: return averageInteger<std::uint8_t>(bits, ranks);
    case DataType::int32: return averageInteger<std::int32_t>(bits, ranks);
    case DataType::uint32: return averageInteger<std::uint32_t>(bits, ranks);
    case DataType::int64: return averageInteger<std::int64_t>(bits, ranks);
    case DataType::uint64: return averageInteger<std::uint64_t>(bits, ranks);
    case DataType::float32: return asBits(as<float>(bits) / static_cast<float>(ranks));
    case DataType::float64: return asBits(as<double>(bits) / static_cast<double>(ranks));
    default: return narrowBits(type, narrowFloat(type, bits) / static_cast<float>(ranks));
  }
}

std::uint64_t scaledBits(DataType type, std::uint64_t bits, std::uint64_t factor) {
  if (isNarrowFloat(type)) return narrowBits(type, narrowFloat(type, bits) * narrowFloat(type, factor));
  return foldedBits(type, ReduceOp::prod, {bits, factor});
}

bool isNaNBits(DataType type, std::uint64_t bits) {
  if (type == DataType::float32) return std::isnan(as<float>(bits));
  if (type == DataType::float64) return std::isnan(as<double>(bits));
  return isNarrowFloat(type) && std::isnan(narrowValue(type, static_cast<std::uint32_t>(bits)));
}

bool sameElement(DataType type, std::uint64_t a, std::uint64_t b) {
  const bool payloadIsFree = type == DataType::float32 || type == DataType::float64;
  return a == b || (payloadIsFree && isNaNBits(type, a) && isNaNBits(type, b));
}

std::uint64_t bitsAt(DataType type, const void* data, std::size_t index) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, static_cast<const std::uint8_t*>(data) + index * sizeOf(type), sizeOf(type));
  return bits;
}

std::vector<std::uint8_t> elements(DataType type, std::size_t count, unsigned stream, bool specials) {
  std::mt19937_64 random(1000 + stream);
  std::uniform_real_distribution<double> moderate(-4.0, 4.0);
  std::vector<std::uint8_t> bytes(count * sizeOf(type));
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t bits = random();
    if (isFloat(type) && !specials) {
      const double value = moderate(random);
      bits = type == DataType::float64   ? asBits(value)
             : type == DataType::float32 ? asBits(static_cast<float>(value))
                                         : narrowBits(type, static_cast<float>(value));
    } else if (isFloat(type) && bits % 8 == 0) {
      // Random bits seldom make a zero, a subnormal, an infinity or a NaN: the exponent to an end, and a short
      // mantissa.
      const int width = 8 * static_cast<int>(sizeOf(type));
      const int mantissaBits = type == DataType::float64   ? 52
                               : type == DataType::float32 ? 23
                                                           : layoutOf(type).mantissaBits;
      const std::uint64_t sign = (bits >> 3 & 1) << (width - 1);
      const std::uint64_t top = (std::uint64_t{1} << (width - 1)) - (std::uint64_t{1} << mantissaBits);
      bits = sign | ((bits >> 4 & 1) != 0 ? top : 0) | (bits >> 5 & 3);
    }
    std::memcpy(bytes.data() + i * sizeOf(type), &bits, sizeOf(type));
  }
  return bytes;
}

}  // namespace atl::kernels::test
