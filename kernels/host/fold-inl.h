// SPDX-License-Identifier: Apache-2.0
// The loop that every kernel shares: fold n sources block by block, accumulators in registers. Compiled once per
// instruction set (see Highway's foreach_target.h, which is why the include guard toggles).
//
// A block is four vectors of the accumulator's type. A Codec says how a block of elements becomes four vectors and back
// (direct_codec-inl.h, narrow_codecs-inl.h); an Op says how vectors combine (ops-inl.h). The ragged end is one more
// full block that overlaps its predecessor, computed before anything is stored, since the destination may be one of the
// sources. Spans shorter than a block go to narrower vectors, and the last few elements through a padded copy, so there
// is one definition of the arithmetic.
#if defined(ATOLL_KERNELS_HOST_FOLD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ATOLL_KERNELS_HOST_FOLD_INL_H_
#undef ATOLL_KERNELS_HOST_FOLD_INL_H_
#else
#define ATOLL_KERNELS_HOST_FOLD_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/host/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace atl::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The four vectors of one block. Named members, because compilers keep them in registers where an array may not be.
template <class V>
struct Quad {
  V a, b, c, d;
};

template <class Op, class D, class V = hn::Vec<D>>
HWY_INLINE Quad<V> enter(const Op& op, D d, const Quad<V>& source) {
  return {op.enter(d, source.a), op.enter(d, source.b), op.enter(d, source.c), op.enter(d, source.d)};
}

template <class Op, class D, class V = hn::Vec<D>>
HWY_INLINE Quad<V> combine(const Op& op, D d, const Quad<V>& left, const Quad<V>& right) {
  return {op.combine(d, left.a, right.a), op.combine(d, left.b, right.b), op.combine(d, left.c, right.c),
          op.combine(d, left.d, right.d)};
}

template <class Op, class D, class V = hn::Vec<D>>
HWY_INLINE Quad<V> leave(const Op& op, D d, const Quad<V>& result) {
  return {op.leave(d, result.a), op.leave(d, result.b), op.leave(d, result.c), op.leave(d, result.d)};
}

/// How many sources, known at compile time for the common cases so that their pointers stay in registers too.
template <int n>
using Arity = std::integral_constant<int, n>;

/// The block of every source at element `at`, folded left to right.
template <class Codec, class Op, class D, class Sources>
HWY_INLINE Quad<hn::Vec<D>> foldBlock(const Op& op, D d, const void* const* sources, Sources n, std::size_t at) {
  using Element = typename Codec::Element;
  auto acc = enter(op, d, Codec::load(d, static_cast<const Element*>(sources[0]) + at));
  for (int s = 1; s < n; ++s) {
    acc = combine(op, d, acc, enter(op, d, Codec::load(d, static_cast<const Element*>(sources[s]) + at)));
  }
  return leave(op, d, acc);
}

/// Fewer elements than the narrowest block: each source in turn passes through a zero-padded copy.
template <class Codec, class Op, class D>
HWY_NOINLINE void foldPadded(const Op& op, D d, typename Codec::Element* destination, const void* const* sources, int n,
                             std::size_t count) {
  using Element = typename Codec::Element;
  if (count == 0) return;
  alignas(16) Element padded[4 * HWY_MAX(hn::MaxLanes(D()), 1)] = {};
  std::memcpy(padded, sources[0], count * sizeof(Element));
  auto acc = enter(op, d, Codec::load(d, padded));
  for (int s = 1; s < n; ++s) {
    std::memcpy(padded, sources[s], count * sizeof(Element));
    acc = combine(op, d, acc, enter(op, d, Codec::load(d, padded)));
  }
  Codec::store(d, leave(op, d, acc), padded);
  std::memcpy(destination, padded, count * sizeof(Element));
}

template <class Codec, class Op, class D>
void foldShort(const Op& op, D d, typename Codec::Element* destination, const void* const* sources, int n,
               std::size_t count);

/// The whole span with vectors of D, or narrower ones where the span is shorter than one block.
template <class Codec, class Op, class D, class Sources>
HWY_INLINE void foldSpan(const Op& op, D d, typename Codec::Element* destination, const void* const* sources, Sources n,
                         std::size_t count) {
  constexpr std::size_t kLanes = hn::MaxLanes(D());
  constexpr std::size_t kBlock = 4 * kLanes;
  if (count < kBlock) {
    constexpr std::size_t kNarrower = HWY_MAX(kLanes / 4, Codec::kFewestLanes);
    if constexpr (kNarrower < kLanes) {
      foldShort<Codec>(op, hn::CappedTag<hn::TFromD<D>, kNarrower>(), destination, sources, n, count);
    } else {
      foldPadded<Codec>(op, d, destination, sources, n, count);
    }
    return;
  }
  const std::size_t lastBlock = count - kBlock;
  const auto last = foldBlock<Codec>(op, d, sources, n, lastBlock);
  for (std::size_t at = 0; at < lastBlock; at += kBlock) {
    Codec::store(d, foldBlock<Codec>(op, d, sources, n, at), destination + at);
  }
  Codec::store(d, last, destination + lastBlock);
}

/// foldSpan for spans too short for wider vectors. Not inlined: one copy serves every arity.
template <class Codec, class Op, class D>
HWY_NOINLINE void foldShort(const Op& op, D d, typename Codec::Element* destination, const void* const* sources, int n,
                            std::size_t count) {
  foldSpan<Codec>(op, d, destination, sources, n, count);
}

/// Runs `op` over one source, for the kernels that are not reductions: finishing and scaling.
template <class Codec, class Op>
HWY_INLINE void mapSpan(const Op& op, void* destination, const void* source, std::size_t count) {
  const void* const sources[1] = {source};
  foldSpan<Codec>(op, hn::ScalableTag<typename Codec::Accumulator>(),
                  static_cast<typename Codec::Element*>(destination), sources, Arity<1>(), count);
}

/// The ReduceFn of a Codec and an Op.
template <class Codec, class Op>
void reduce(void* destination, const void* const* sources, int n, std::size_t count) {
  const hn::ScalableTag<typename Codec::Accumulator> d;
  auto* const out = static_cast<typename Codec::Element*>(destination);
  if (n == 1) {
    if (destination != sources[0]) copyBytes(destination, sources[0], count * sizeof(*out));
  } else if (n == 2) {
    const void* const pair[2] = {sources[0], sources[1]};
    foldSpan<Codec>(Op(), d, out, pair, Arity<2>(), count);
  } else {
    foldSpan<Codec>(Op(), d, out, sources, n, count);
  }
}

}  // namespace atl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
