// SPDX-License-Identifier: Apache-2.0
// Kernels of the integers. Sums and products wrap, and so are the same bits signed or unsigned: one kernel serves both.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/host/reduce_integers.cc"
#include <hwy/foreach_target.h>
// foreach_target.h comes first.
#include <hwy/highway.h>

#include <cstdint>
#include <type_traits>

#include "kernels/host/direct_codec-inl.h"
#include "kernels/host/dispatch.h"
#include "kernels/host/fold-inl.h"
#include "kernels/host/ops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace atl::kernels::HWY_NAMESPACE {

template <class T>
ReduceFn reduceOf(ReduceOp op) {
  using Unsigned = std::make_unsigned_t<T>;
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::avg: return &reduce<Direct<Unsigned>, Sum>;
    case ReduceOp::prod: return &reduce<Direct<Unsigned>, Product>;
    case ReduceOp::max: return &reduce<Direct<T>, IntegerMax>;
    case ReduceOp::min: return &reduce<Direct<T>, IntegerMin>;
  }
  return nullptr;
}

template <class Unsigned>
void scale(void* destination, const void* source, const void* scalar, std::size_t count) {
  mapSpan<Direct<Unsigned>>(MultiplyBy<Unsigned>(*static_cast<const Unsigned*>(scalar)), destination, source, count);
}

ReduceFn pickIntegerReduce(DataType type, ReduceOp op) {
  switch (type) {
    case DataType::int8: return reduceOf<std::int8_t>(op);
    case DataType::uint8: return reduceOf<std::uint8_t>(op);
    case DataType::int32: return reduceOf<std::int32_t>(op);
    case DataType::uint32: return reduceOf<std::uint32_t>(op);
    case DataType::int64: return reduceOf<std::int64_t>(op);
    case DataType::uint64: return reduceOf<std::uint64_t>(op);
    default: return nullptr;
  }
}

ScaleFn pickIntegerScale(DataType type) {
  switch (type) {
    case DataType::int8:
    case DataType::uint8: return &scale<std::uint8_t>;
    case DataType::int32:
    case DataType::uint32: return &scale<std::uint32_t>;
    case DataType::int64:
    case DataType::uint64: return &scale<std::uint64_t>;
    default: return nullptr;
  }
}

}  // namespace atl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace atl::kernels {

HWY_EXPORT(pickIntegerReduce);
HWY_EXPORT(pickIntegerScale);

ReduceFn integerReduce(DataType type, ReduceOp op) {
  return HWY_DYNAMIC_DISPATCH(pickIntegerReduce)(type, op);
}
ScaleFn integerScale(DataType type) {
  return HWY_DYNAMIC_DISPATCH(pickIntegerScale)(type);
}

}  // namespace atl::kernels
#endif
