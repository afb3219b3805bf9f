// SPDX-License-Identifier: Apache-2.0
// How vectors combine: the operators of the reductions, and the divisions and products of finishing and scaling.
//
// An Op has three parts: `enter` on each source's vector, `combine` on two of them, `leave` on the result.
#if defined(ATOLL_KERNELS_HOST_OPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ATOLL_KERNELS_HOST_OPS_INL_H_
#undef ATOLL_KERNELS_HOST_OPS_INL_H_
#else
#define ATOLL_KERNELS_HOST_OPS_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace atl::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// a · b lane by lane, modulo the type for integers. Highway has no 8-bit product: the two bytes of a 16-bit lane are
/// multiplied apart, the upper one in place.
template <class D, class V>
HWY_INLINE V product(D d, V a, V b) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(hn::TFromD<D>) == 1) {
    const hn::Repartition<std::uint16_t, D> d16;
    const auto low = hn::Set(d16, 0x00ff);
    const auto a16 = hn::BitCast(d16, a);
    const auto b16 = hn::BitCast(d16, b);
    const auto even = hn::And(hn::Mul(a16, b16), low);
    const auto odd = hn::Mul(hn::ShiftRight<8>(a16), hn::AndNot(low, b16));
    return hn::BitCast(d, hn::Or(even, odd));
  } else {
    return hn::Mul(a, b);
  }
#else
  using T = hn::TFromD<D>;
  if constexpr (hwy::IsFloat<T>()) {
    return hn::Mul(a, b);
  } else {
    return hn::Set(d, static_cast<T>(std::uint64_t{hn::GetLane(a)} * hn::GetLane(b)));
  }
#endif
}

/// The defaults: sources and result pass unchanged.
struct PassThrough {
  template <class D, class V>
  HWY_INLINE V enter(D /*d*/, V v) const {
    return v;
  }
  template <class D, class V>
  HWY_INLINE V leave(D /*d*/, V v) const {
    return v;
  }
};

struct Sum : PassThrough {
  template <class D, class V>
  HWY_INLINE V combine(D /*d*/, V a, V b) const {
    return hn::Add(a, b);
  }
};

struct Product : PassThrough {
  template <class D, class V>
  HWY_INLINE V combine(D d, V a, V b) const {
    return product(d, a, b);
  }
};

struct IntegerMax : PassThrough {
  template <class D, class V>
  HWY_INLINE V combine(D /*d*/, V a, V b) const {
    return hn::Max(a, b);
  }
};

struct IntegerMin : PassThrough {
  template <class D, class V>
  HWY_INLINE V combine(D /*d*/, V a, V b) const {
    return hn::Min(a, b);
  }
};

/// a where a < b, else b: also when either is a NaN. x86's own minimum does just that; other machines' drop the NaN,
/// and so do the two of Highway's targets that use no vector instructions.
template <class V>
HWY_INLINE V lesserElseSecond(V a, V b) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
  return hn::Min(a, b);
#else
  return hn::IfThenElse(hn::Lt(a, b), a, b);
#endif
}

/// IEEE 754-2019 minimum: a NaN of either side comes through, and −0 is below +0. Both orders of the machine's minimum
/// agree except there: of a NaN and a number, or of two zeros, they return one each, and `or` keeps the NaN and the
/// sign.
struct FloatMin : PassThrough {
  template <class D, class V>
  HWY_INLINE V combine(D /*d*/, V a, V b) const {
    return hn::Or(lesserElseSecond(a, b), lesserElseSecond(b, a));
  }
};

/// The mirror image of FloatMin, with the sign turned on the way in and out.
struct FloatMax : FloatMin {
  template <class D, class V>
  HWY_INLINE V enter(D d, V v) const {
    return hn::Xor(v, hn::SignBit(d));
  }
  template <class D, class V>
  HWY_INLINE V leave(D d, V v) const {
    return hn::Xor(v, hn::SignBit(d));
  }
};

/// One source divided by a number: the finishing of `avg`.
template <class T>
struct DivideBy : PassThrough {
  T divisor;
  explicit DivideBy(T by) : divisor(by) {}
  template <class D, class V>
  HWY_INLINE V combine(D /*d*/, V a, V /*b*/) const {
    return a;
  }
  template <class D, class V>
  HWY_INLINE V leave(D d, V v) const {
    return hn::Div(v, hn::Set(d, divisor));
  }
};

/// One source multiplied by a number: premulsum.
template <class T>
struct MultiplyBy : PassThrough {
  T factor;
  explicit MultiplyBy(T by) : factor(by) {}
  template <class D, class V>
  HWY_INLINE V combine(D /*d*/, V a, V /*b*/) const {
    return a;
  }
  template <class D, class V>
  HWY_INLINE V leave(D d, V v) const {
    return product(d, v, hn::Set(d, factor));
  }
};

}  // namespace atl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
