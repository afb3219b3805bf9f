// SPDX-License-Identifier: Apache-2.0
// The table of kernels: which file serves a type.
#include "kernels/host/kernels.h"

#include <hwy/targets.h>

#include <cstdint>

#include "kernels/host/dispatch.h"

namespace atl::kernels {
namespace {

enum class Family { integer, directFloat, narrowFloat };

Family familyOf(DataType type) {
  switch (type) {
    case DataType::float32:
    case DataType::float64: return Family::directFloat;
    case DataType::float16:
    case DataType::bfloat16:
    case DataType::float8e4m3:
    case DataType::float8e5m2: return Family::narrowFloat;
    default: return Family::integer;
  }
}

}  // namespace

ReduceFn reduceKernel(DataType type, ReduceOp op) {
  switch (familyOf(type)) {
    case Family::integer: return integerReduce(type, op);
    case Family::directFloat: return floatReduce(type, op);
    case Family::narrowFloat: return narrowFloatReduce(type, op);
  }
  return nullptr;
}

FinishFn finishKernel(DataType type, ReduceOp op) {
  if (op != ReduceOp::avg) return nullptr;
  switch (familyOf(type)) {
    case Family::integer: return integerAverage(type);
    case Family::directFloat: return floatAverage(type);
    case Family::narrowFloat: return narrowFloatAverage(type);
  }
  return nullptr;
}

ScaleFn scaleKernel(DataType type) {
  switch (familyOf(type)) {
    case Family::integer: return integerScale(type);
    case Family::directFloat: return floatScale(type);
    case Family::narrowFloat: return narrowFloatScale(type);
  }
  return nullptr;
}

const char* targetName() {
  const std::int64_t usable = hwy::SupportedTargets() & HWY_TARGETS;
  // Highway numbers better targets lower; with none of ours left it runs the one the compiler may assume anywhere.
  return hwy::TargetName(usable != 0 ? usable & -usable : HWY_STATIC_TARGET);
}

}  // namespace atl::kernels
