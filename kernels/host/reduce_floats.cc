// SPDX-License-Identifier: Apache-2.0
// Kernels of float32 and float64.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/host/reduce_floats.cc"
#include <hwy/foreach_target.h>
// foreach_target.h comes first.
#include <hwy/highway.h>

#include "kernels/host/direct_codec-inl.h"
#include "kernels/host/dispatch.h"
#include "kernels/host/fold-inl.h"
#include "kernels/host/ops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace atl::kernels::HWY_NAMESPACE {

template <class T>
ReduceFn reduceOf(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::avg: return &reduce<Direct<T>, Sum>;
    case ReduceOp::prod: return &reduce<Direct<T>, Product>;
    case ReduceOp::max: return &reduce<Direct<T>, FloatMax>;
    case ReduceOp::min: return &reduce<Direct<T>, FloatMin>;
  }
  return nullptr;
}

template <class T>
void scale(void* destination, const void* source, const void* scalar, std::size_t count) {
  mapSpan<Direct<T>>(MultiplyBy<T>(*static_cast<const T*>(scalar)), destination, source, count);
}

template <class T>
void average(void* data, std::size_t count, int ranks) {
  mapSpan<Direct<T>>(DivideBy<T>(static_cast<T>(ranks)), data, data, count);
}

ReduceFn pickFloatReduce(DataType type, ReduceOp op) {
  if (type == DataType::float32) return reduceOf<float>(op);
  if (type == DataType::float64) return reduceOf<double>(op);
  return nullptr;
}

ScaleFn pickFloatScale(DataType type) {
  if (type == DataType::float32) return &scale<float>;
  if (type == DataType::float64) return &scale<double>;
  return nullptr;
}

FinishFn pickFloatAverage(DataType type) {
  if (type == DataType::float32) return &average<float>;
  if (type == DataType::float64) return &average<double>;
  return nullptr;
}

}  // namespace atl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace atl::kernels {

HWY_EXPORT(pickFloatReduce);
HWY_EXPORT(pickFloatScale);
HWY_EXPORT(pickFloatAverage);

ReduceFn floatReduce(DataType type, ReduceOp op) {
  return HWY_DYNAMIC_DISPATCH(pickFloatReduce)(type, op);
}
ScaleFn floatScale(DataType type) {
  return HWY_DYNAMIC_DISPATCH(pickFloatScale)(type);
}
FinishFn floatAverage(DataType type) {
  return HWY_DYNAMIC_DISPATCH(pickFloatAverage)(type);
}

}  // namespace atl::kernels
#endif
