// SPDX-License-Identifier: Apache-2.0
// The kernels, as addresses to launch. They are known to the runtime by the names that are given with each.
#pragma once

#include <cstdint>

#include "kernels/cuda/scaling.h"
#include "src/exec/cuda/device/launch.h"

namespace atl::kernels::device {

/// Threads of a block at most.
inline constexpr std::uint32_t kWalkThreads = 512;
inline constexpr std::uint32_t kScaleThreads = 256;

/// atollWalk_float32(Launch, const Signals*) and its like, of runs of one type: grid (lanes, ranks), of which all
/// blocks must be resident together.
const void* walkKernel(DataType type);

/// atollScale(Scaling): any grid.
const void* scaleKernel();

}  // namespace atl::kernels::device
