// SPDX-License-Identifier: Apache-2.0
// The codec of the types that are folded as they are: float32, float64 and the integers.
#if defined(ATOLL_KERNELS_HOST_DIRECT_CODEC_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ATOLL_KERNELS_HOST_DIRECT_CODEC_INL_H_
#undef ATOLL_KERNELS_HOST_DIRECT_CODEC_INL_H_
#else
#define ATOLL_KERNELS_HOST_DIRECT_CODEC_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>

#include "kernels/host/fold-inl.h"

HWY_BEFORE_NAMESPACE();
namespace atl::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
struct Direct {
  using Element = T;
  using Accumulator = T;
  /// Bytes come at least four at a time where there are vectors: their product needs 16-bit lanes.
  static constexpr std::size_t kFewestLanes = HWY_TARGET != HWY_SCALAR && sizeof(T) == 1 ? 4 : 1;

  template <class D>
  static HWY_INLINE Quad<hn::Vec<D>> load(D d, const T* from) {
    const std::size_t lanes = hn::Lanes(d);
    return {hn::LoadU(d, from), hn::LoadU(d, from + lanes), hn::LoadU(d, from + 2 * lanes),
            hn::LoadU(d, from + 3 * lanes)};
  }

  template <class D>
  static HWY_INLINE void store(D d, const Quad<hn::Vec<D>>& block, T* to) {
    const std::size_t lanes = hn::Lanes(d);
    hn::StoreU(block.a, d, to);
    hn::StoreU(block.b, d, to + lanes);
    hn::StoreU(block.c, d, to + 2 * lanes);
    hn::StoreU(block.d, d, to + 3 * lanes);
  }
};

}  // namespace atl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
