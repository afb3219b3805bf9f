// SPDX-License-Identifier: Apache-2.0
// Four bytes in a word, each reduced with its counterpart.
#pragma once

#include <cstdint>

#include "src/base/host_device.h"
#include "src/base/types.h"

namespace atl::kernels::device {

inline constexpr std::uint32_t kHighBits = 0x80808080;
inline constexpr std::uint32_t kEvenBytes = 0x00ff00ff;

/// The lower seven bits are added without a carry into the next byte; the highest is a sum without one.
ATOLL_HOST_DEVICE inline std::uint32_t sumOfBytes(std::uint32_t a, std::uint32_t b) {
  return ((a & ~kHighBits) + (b & ~kHighBits)) ^ ((a ^ b) & kHighBits);
}

ATOLL_HOST_DEVICE inline std::uint32_t productOfBytes(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (int shift = 0; shift < 32; shift += 8) product |= ((a >> shift) * (b >> shift) & 0xff) << shift;
  return product;
}

/// All bits of each byte whose counterpart in `b` is greater, both unsigned.
ATOLL_HOST_DEVICE inline std::uint32_t bytesBelow(std::uint32_t a, std::uint32_t b) {
  // 256 + b − a − 1 of two bytes in 16 bits each: bit 8 says that b > a.
  const std::uint32_t even = ((b & kEvenBytes) + 0x01000100 - (a & kEvenBytes) - 0x00010001) >> 8 & 0x00010001;
  const std::uint32_t odd = ((b >> 8 & kEvenBytes) + 0x01000100 - (a >> 8 & kEvenBytes) - 0x00010001) >> 8 & 0x00010001;
  return even * 0xff | (odd * 0xff) << 8;
}

template <bool largest, bool isSigned>
ATOLL_HOST_DEVICE std::uint32_t extremeOfBytes(std::uint32_t a, std::uint32_t b) {
#ifdef __CUDA_ARCH__
  if constexpr (largest) return isSigned ? __vmaxs4(a, b) : __vmaxu4(a, b);
  return isSigned ? __vmins4(a, b) : __vminu4(a, b);
#else
  const std::uint32_t flip = isSigned ? kHighBits : 0;
  const std::uint32_t below = bytesBelow(a ^ flip, b ^ flip);
  return largest ? (b & below) | (a & ~below) : (a & below) | (b & ~below);
#endif
}

template <ReduceOp op, bool isSigned>
ATOLL_HOST_DEVICE std::uint32_t combinedBytes(std::uint32_t a, std::uint32_t b) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::avg: return sumOfBytes(a, b);
    case ReduceOp::prod: return productOfBytes(a, b);
    case ReduceOp::max: return extremeOfBytes<true, isSigned>(a, b);
    case ReduceOp::min: return extremeOfBytes<false, isSigned>(a, b);
  }
  return a;
}

}  // namespace atl::kernels::device
