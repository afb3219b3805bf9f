// SPDX-License-Identifier: Apache-2.0
// The codecs of the 16- and 8-bit floats: blocks of them to four vectors of float32 and back, rounding to nearest even.
//
// Elements are taken in 32-bit words, two or four to the word, and each position in the word becomes one vector. That
// permutes the elements of a block, which element-wise arithmetic does not notice, and saves all the shuffles that
// keeping them in order would cost. Where the machine converts fp16 itself, it does.
//
// No step depends on how the machine treats subnormals: callers may have set flush-to-zero.
#if defined(ATOLL_KERNELS_HOST_NARROW_CODECS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ATOLL_KERNELS_HOST_NARROW_CODECS_INL_H_
#undef ATOLL_KERNELS_HOST_NARROW_CODECS_INL_H_
#else
#define ATOLL_KERNELS_HOST_NARROW_CODECS_INL_H_
#endif

#include <hwy/highway.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/host/fold-inl.h"
#include "kernels/narrow_formats.h"

HWY_BEFORE_NAMESPACE();
namespace atl::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
using Words = hn::RebindToUnsigned<D>;

/// One vector of 32-bit words from memory that is aligned for its narrow elements only.
template <class DU>
HWY_INLINE hn::Vec<DU> loadWords(DU du, const void* from) {
#if HWY_TARGET == HWY_SCALAR
  std::uint32_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return hn::Set(du, word);
#else
  return hn::LoadU(du, static_cast<const std::uint32_t*>(from));
#endif
}

template <class DU>
HWY_INLINE void storeWords(DU du, hn::Vec<DU> words, void* to) {
#if HWY_TARGET == HWY_SCALAR
  (void)du;
  const std::uint32_t word = hn::GetLane(words);
  std::memcpy(to, &word, sizeof word);
#else
  hn::StoreU(words, du, static_cast<std::uint32_t*>(to));
#endif
}

/// float32 from an element of `Format` in the upper bits of each word, whatever the lower bits are.
template <class Format, class D>
HWY_INLINE hn::Vec<D> decodeUpper(D d, hn::Vec<Words<D>> word) {
  const Words<D> du;
  const hn::RebindToSigned<D> di;
  constexpr int kUpper = 32 - Format::kWidth;
  constexpr std::uint32_t kMagnitude = ((1U << (Format::kWidth - 1)) - 1) << kUpper;
  constexpr int kToFloat32 = 8 - Format::kExponentBits;  // aligns the exponent's lowest bit with float32's
  constexpr std::uint32_t kFirstSpecial = Format::kFirstSpecial << (kUpper - kToFloat32);
  constexpr std::uint32_t kRebias = static_cast<std::uint32_t>(127 - Format::kBias) << 23;

  const auto magnitude = hn::ShiftRight<kToFloat32>(hn::And(word, hn::Set(du, kMagnitude)));
  // A subnormal lacks the leading one that float32 would give it: read as 2^−bias·(1+f) where 2^(1−bias)·f is meant,
  // which is 2x − 2^(1−bias). For normal values that is never the smaller of the two.
  const auto plain = hn::BitCast(d, hn::Add(magnitude, hn::Set(du, kRebias)));
  const auto subnormal = hn::Sub(hn::Add(plain, plain), hn::Set(d, Format::kSmallestNormal));
  const auto finite = hn::BitCast(du, hn::Min(plain, subnormal));
  const auto special = hn::BitCast(
      du, hn::VecFromMask(
              di, hn::Gt(hn::BitCast(di, magnitude), hn::Set(di, static_cast<std::int32_t>(kFirstSpecial - 1)))));
  const auto value = hn::OrAnd(finite, special, hn::Set(du, kFloat32Exponent));
  return hn::BitCast(d, hn::OrAnd(value, word, hn::Set(du, kFloat32Sign)));
}

/// The element of `Format` nearest to each float32, in the lower bits of each word, the rest zero.
template <class Format, class D>
HWY_INLINE hn::Vec<Words<D>> encodeLower(D d, hn::Vec<D> value) {
  const Words<D> du;
  const hn::RebindToSigned<D> di;
  constexpr int kDropped = 23 - Format::kMantissaBits;
  constexpr std::int32_t kLowestExponent = std::bit_cast<std::int32_t>(Format::kSmallestNormal);

  const auto bits = hn::BitCast(du, value);
  const auto magnitude = hn::BitCast(di, hn::AndNot(hn::Set(du, kFloat32Sign), bits));
  const auto bounded = hn::Min(magnitude, hn::Set(di, std::bit_cast<std::int32_t>(Format::kCeiling)));
  // Adding 2^(23−m) times the value's power of two leaves m mantissa bits above the unit of the sum, and the addition
  // itself rounds the rest away, to nearest even. Below the smallest normal the power of two stays, as subnormals'
  // does.
  const auto power =
      hn::And(hn::Max(bounded, hn::Set(di, kLowestExponent)), hn::Set(di, static_cast<std::int32_t>(kFloat32Exponent)));
  const auto rounder = hn::Add(power, hn::Set(di, kDropped << 23));
  const auto rounded = hn::BitCast(di, hn::Add(hn::BitCast(d, bounded), hn::BitCast(d, rounder)));
  const auto exponent = hn::ShiftRight<kDropped>(hn::Sub(power, hn::Set(di, kLowestExponent)));
  const auto code = hn::BitCast(du, hn::Add(hn::Sub(rounded, rounder), exponent));

  const auto sign = hn::ShiftRight<32 - Format::kWidth>(hn::And(bits, hn::Set(du, kFloat32Sign)));
  const auto isNaN = hn::RebindMask(du, hn::Gt(magnitude, hn::Set(di, static_cast<std::int32_t>(kFloat32Exponent))));
  return hn::IfThenElse(isNaN, hn::Set(du, Format::kNaN), hn::Or(code, sign));
}

/// Words of four 8-bit floats.
template <class Format>
struct ByteFloat {
  using Element = std::uint8_t;
  using Accumulator = float;
  static constexpr std::size_t kFewestLanes = 1;

  template <class D>
  static HWY_INLINE Quad<hn::Vec<D>> load(D d, const Element* from) {
    const auto words = loadWords(Words<D>(), from);
    return {decodeUpper<Format>(d, hn::ShiftLeft<24>(words)), decodeUpper<Format>(d, hn::ShiftLeft<16>(words)),
            decodeUpper<Format>(d, hn::ShiftLeft<8>(words)), decodeUpper<Format>(d, words)};
  }

  template <class D>
  static HWY_INLINE void store(D d, const Quad<hn::Vec<D>>& block, Element* to) {
    const auto lower = hn::Or(encodeLower<Format>(d, block.a), hn::ShiftLeft<8>(encodeLower<Format>(d, block.b)));
    const auto upper =
        hn::Or(hn::ShiftLeft<16>(encodeLower<Format>(d, block.c)), hn::ShiftLeft<24>(encodeLower<Format>(d, block.d)));
    storeWords(Words<D>(), hn::Or(lower, upper), to);
  }
};

/// Words of two bfloat16.
struct BrainFloat {
  using Element = std::uint16_t;
  using Accumulator = float;
  static constexpr std::size_t kFewestLanes = 1;

  template <class D>
  static HWY_INLINE Quad<hn::Vec<D>> load(D d, const Element* from) {
    const Words<D> du;
    const auto first = loadWords(du, from);
    const auto second = loadWords(du, from + 2 * hn::Lanes(d));
    const auto upperHalf = hn::Set(du, 0xffff0000U);
    return {hn::BitCast(d, hn::ShiftLeft<16>(first)), hn::BitCast(d, hn::And(first, upperHalf)),
            hn::BitCast(d, hn::ShiftLeft<16>(second)), hn::BitCast(d, hn::And(second, upperHalf))};
  }

  template <class D>
  static HWY_INLINE void store(D d, const Quad<hn::Vec<D>>& block, Element* to) {
    const Words<D> du;
    const auto upperHalf = hn::Set(du, 0xffff0000U);
    storeWords(du, hn::OrAnd(hn::ShiftRight<16>(roundUpper(d, block.a)), roundUpper(d, block.b), upperHalf), to);
    storeWords(du, hn::OrAnd(hn::ShiftRight<16>(roundUpper(d, block.c)), roundUpper(d, block.d), upperHalf),
               to + 2 * hn::Lanes(d));
  }

 private:
  /// The bfloat16 in the upper half, of which a carry out of the mantissa is a carry into the exponent, up to infinity.
  template <class D>
  static HWY_INLINE hn::Vec<Words<D>> roundUpper(D /*d*/, hn::Vec<D> value) {
    const Words<D> du;
    const auto bits = hn::BitCast(du, value);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1));
    const auto rounded = hn::Add(hn::Add(bits, hn::Set(du, 0x7fff)), odd);
    return hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(value)), hn::Set(du, kBfloat16NaN << 16), rounded);
  }
};

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2

/// fp16 in its order in memory, converted by the machine (F16C), whose conversions flush no subnormals.
struct HalfFloat {
  using Element = std::uint16_t;
  using Accumulator = float;
  static constexpr std::size_t kFewestLanes = 1;

  template <class D>
  static HWY_INLINE Quad<hn::Vec<D>> load(D d, const Element* from) {
    const std::size_t lanes = hn::Lanes(d);
    return {widen(d, from), widen(d, from + lanes), widen(d, from + 2 * lanes), widen(d, from + 3 * lanes)};
  }

  template <class D>
  static HWY_INLINE void store(D d, const Quad<hn::Vec<D>>& block, Element* to) {
    const std::size_t lanes = hn::Lanes(d);
    narrow(d, block.a, to);
    narrow(d, block.b, to + lanes);
    narrow(d, block.c, to + 2 * lanes);
    narrow(d, block.d, to + 3 * lanes);
  }

 private:
  template <class D>
  static HWY_INLINE hn::Vec<D> widen(D d, const Element* from) {
    const hn::Rebind<hwy::float16_t, D> d16;
    return hn::PromoteTo(d, hn::BitCast(d16, hn::LoadU(hn::Rebind<std::uint16_t, D>(), from)));
  }

  template <class D>
  static HWY_INLINE void narrow(D d, hn::Vec<D> value, Element* to) {
    const hn::Rebind<hwy::float16_t, D> d16;
    const hn::Rebind<std::uint16_t, D> du16;
    // All mantissa bits set, so that what the conversion keeps of them is the one NaN of the format.
    const auto nan = hn::BitCast(d, hn::Set(Words<D>(), 0x7fffffffU));
    const auto one = hn::IfThenElse(hn::IsNaN(value), nan, value);
    hn::StoreU(hn::BitCast(du16, hn::DemoteTo(d16, one)), du16, to);
  }
};

#else

/// Words of two fp16.
struct HalfFloat {
  using Element = std::uint16_t;
  using Accumulator = float;
  static constexpr std::size_t kFewestLanes = 1;

  template <class D>
  static HWY_INLINE Quad<hn::Vec<D>> load(D d, const Element* from) {
    const Words<D> du;
    const auto first = loadWords(du, from);
    const auto second = loadWords(du, from + 2 * hn::Lanes(d));
    return {decodeUpper<Float16>(d, hn::ShiftLeft<16>(first)), decodeUpper<Float16>(d, first),
            decodeUpper<Float16>(d, hn::ShiftLeft<16>(second)), decodeUpper<Float16>(d, second)};
  }

  template <class D>
  static HWY_INLINE void store(D d, const Quad<hn::Vec<D>>& block, Element* to) {
    const Words<D> du;
    storeWords(du, hn::Or(encodeLower<Float16>(d, block.a), hn::ShiftLeft<16>(encodeLower<Float16>(d, block.b))), to);
    storeWords(du, hn::Or(encodeLower<Float16>(d, block.c), hn::ShiftLeft<16>(encodeLower<Float16>(d, block.d))),
               to + 2 * hn::Lanes(d));
  }
};

#endif

}  // namespace atl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
