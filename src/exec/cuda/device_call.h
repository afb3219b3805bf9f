// SPDX-License-Identifier: Apache-2.0
// A call of one rank that is ready to be launched, and which calls a launch runs together.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "src/cuda/runtime.h"
#include "src/exec/call.h"

namespace atl::cuda {

/// A lowered plan in the device's memory.
struct DeviceProgram {
  Memory memory;  ///< a device::Program, and behind it its arrays
  std::int32_t lanes = 0;
  std::uint32_t threads = 0;  ///< of a block
  std::uint64_t scratchBytes = 0;
  std::uint64_t inputBytes = 0;   ///< of this rank's input buffer …
  std::uint64_t outputBytes = 0;  ///< … and of its output buffer
  bool placesBlocks = false;      ///< what it writes is where the program says, not in the call's output buffer
  bool snapshotInput = false;     ///< see exec::Program
  bool reduces = false;           ///< not all it does is to copy
  DataType type = DataType::uint8;
  ReduceOp op = ReduceOp::sum;
  bool captured = false;  ///< in a graph, which may run it at any time
};

struct DeviceCall {
  DeviceProgram* program = nullptr;
  const void* send = nullptr;
  void* recv = nullptr;
  Operator op;
  std::vector<cudaStream_t> streams;  ///< it is launched on the first, and the others wait for it as it does for them

  /// Its input is copied before the launch: to be scaled, or because the plan would overwrite it too early.
  [[nodiscard]] bool copiesInput() const {
    return program->inputBytes > 0 && (op.kind == Operator::Kind::preMulSum || program->snapshotInput);
  }
  /// Whether it may write what the other reads.
  [[nodiscard]] bool mayFeed(const DeviceCall& other) const;
};

/// How many of the calls, from the first on, one launch runs one after another: at least one, and as long as they are
/// on the same streams, reduce one type at most (there is a kernel for each) and no input has to be copied that one of
/// them writes.
std::size_t callsOfALaunch(std::span<const DeviceCall> calls);

/// The type whose kernel runs them.
DataType kernelType(std::span<const DeviceCall> calls);

}  // namespace atl::cuda
