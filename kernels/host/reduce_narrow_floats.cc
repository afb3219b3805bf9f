// SPDX-License-Identifier: Apache-2.0
// Kernels of float16, bfloat16, float8e4m3 and float8e5m2: folded, divided and multiplied in float32, rounded once.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/host/reduce_narrow_floats.cc"
#include <hwy/foreach_target.h>
// foreach_target.h comes first.
#include <hwy/highway.h>

#include "kernels/host/dispatch.h"
#include "kernels/host/fold-inl.h"
#include "kernels/host/narrow_codecs-inl.h"
#include "kernels/host/ops-inl.h"

HWY_BEFORE_NAMESPACE();
namespace atl::kernels::HWY_NAMESPACE {

template <class Codec>
ReduceFn reduceOf(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
    case ReduceOp::avg: return &reduce<Codec, Sum>;
    case ReduceOp::prod: return &reduce<Codec, Product>;
    case ReduceOp::max: return &reduce<Codec, FloatMax>;
    case ReduceOp::min: return &reduce<Codec, FloatMin>;
  }
  return nullptr;
}

template <DataType type, class Codec>
void scale(void* destination, const void* source, const void* scalar, std::size_t count) {
  mapSpan<Codec>(MultiplyBy<float>(toFloat32(type, scalar)), destination, source, count);
}

template <class Codec>
void average(void* data, std::size_t count, int ranks) {
  mapSpan<Codec>(DivideBy<float>(static_cast<float>(ranks)), data, data, count);
}

ReduceFn pickNarrowFloatReduce(DataType type, ReduceOp op) {
  switch (type) {
    case DataType::float16: return reduceOf<HalfFloat>(op);
    case DataType::bfloat16: return reduceOf<BrainFloat>(op);
    case DataType::float8e4m3: return reduceOf<ByteFloat<Float8E4M3>>(op);
    case DataType::float8e5m2: return reduceOf<ByteFloat<Float8E5M2>>(op);
    default: return nullptr;
  }
}

ScaleFn pickNarrowFloatScale(DataType type) {
  switch (type) {
    case DataType::float16: return &scale<DataType::float16, HalfFloat>;
    case DataType::bfloat16: return &scale<DataType::bfloat16, BrainFloat>;
    case DataType::float8e4m3: return &scale<DataType::float8e4m3, ByteFloat<Float8E4M3>>;
    case DataType::float8e5m2: return &scale<DataType::float8e5m2, ByteFloat<Float8E5M2>>;
    default: return nullptr;
  }
}

FinishFn pickNarrowFloatAverage(DataType type) {
  switch (type) {
    case DataType::float16: return &average<HalfFloat>;
    case DataType::bfloat16: return &average<BrainFloat>;
    case DataType::float8e4m3: return &average<ByteFloat<Float8E4M3>>;
    case DataType::float8e5m2: return &average<ByteFloat<Float8E5M2>>;
    default: return nullptr;
  }
}

}  // namespace atl::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace atl::kernels {

HWY_EXPORT(pickNarrowFloatReduce);
HWY_EXPORT(pickNarrowFloatScale);
HWY_EXPORT(pickNarrowFloatAverage);

ReduceFn narrowFloatReduce(DataType type, ReduceOp op) {
  return HWY_DYNAMIC_DISPATCH(pickNarrowFloatReduce)(type, op);
}
ScaleFn narrowFloatScale(DataType type) {
  return HWY_DYNAMIC_DISPATCH(pickNarrowFloatScale)(type);
}
FinishFn narrowFloatAverage(DataType type) {
  return HWY_DYNAMIC_DISPATCH(pickNarrowFloatAverage)(type);
}

}  // namespace atl::kernels
#endif
