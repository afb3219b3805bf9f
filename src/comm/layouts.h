// SPDX-License-Identifier: Apache-2.0
// The memory side of calls: which blocks a collective's buffers hold, and how a group's sends and receives become one
// plan.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "src/base/result.h"
#include "src/exec/call.h"
#include "src/exec/host/layout.h"
#include "src/exec/host/program.h"

namespace atl {

/// The layout of a collective's call for one rank's plan.
exec::Layout layoutOf(const Call& call, const Plan& plan, std::int32_t tiles);

/// Elements in this rank's input buffer.
std::uint64_t inputElements(const Call& call, Rank rank, Rank ranks);
/// Elements of this rank's output buffer that a call may write, gaps between blocks among them.
std::uint64_t outputElements(const Call& call, Rank rank, Rank ranks);

/// The sends and receives of a group as one round: all of them under way together, those to myself as copies. Messages
/// are cut into a share for each lane; both ends of a message have the same lanes.
struct FusedPointToPoint {
  std::shared_ptr<const Plan> plan;
  exec::Layout layout;
  CallRecord record;
};
Result<FusedPointToPoint> fusePointToPoint(std::span<const PointToPoint> operations, Rank rank, Rank ranks,
                                           std::int32_t lanes = 1);

/// Where the blocks of a layout of fusePointToPoint() lie.
void locatePointToPoint(exec::Layout& layout, std::span<const PointToPoint> operations);

/// Gives every block of a fused program its call. Once for each program.
Status describePointToPoint(exec::Program& program, std::span<const PointToPoint> operations, Rank rank,
                            const exec::LinkSource& links);

/// Points a described program at the buffers of these operations, of the shape that it was made for, and numbers their
/// messages.
void bindPointToPoint(exec::Program& program, std::span<const PointToPoint> operations);

}  // namespace atl
