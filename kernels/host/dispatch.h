// SPDX-License-Identifier: Apache-2.0
// What the kernel files offer to the table in kernels.cc: each picks, for the instruction set in use, the kernel of the
// types it is about. A type that is not a file's own gives null.
#pragma once

#include "kernels/host/kernels.h"

namespace atl::kernels {

ReduceFn integerReduce(DataType type, ReduceOp op);
ScaleFn integerScale(DataType type);
FinishFn integerAverage(DataType type);

/// float32 and float64.
ReduceFn floatReduce(DataType type, ReduceOp op);
ScaleFn floatScale(DataType type);
FinishFn floatAverage(DataType type);

/// float16, bfloat16, float8e4m3 and float8e5m2.
ReduceFn narrowFloatReduce(DataType type, ReduceOp op);
ScaleFn narrowFloatScale(DataType type);
FinishFn narrowFloatAverage(DataType type);

}  // namespace atl::kernels
