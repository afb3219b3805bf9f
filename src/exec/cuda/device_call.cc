// SPDX-License-Identifier: Apache-2.0
#include "src/exec/cuda/device_call.h"

#include <algorithm>
#include <cstddef>

#include "src/exec/cuda/device/launch.h"

namespace atl::cuda {
namespace {

/// The first call that reduces, or null.
const DeviceCall* reducing(std::span<const DeviceCall> calls) {
  const auto found = std::ranges::find_if(calls, [](const DeviceCall& call) { return call.program->reduces; });
  return found == calls.end() ? nullptr : &*found;
}

}  // namespace

bool DeviceCall::mayFeed(const DeviceCall& other) const {
  const auto* const written = static_cast<const std::byte*>(recv);
  const auto* const read = static_cast<const std::byte*>(other.send);
  return program->placesBlocks || (written < read + other.program->inputBytes && read < written + program->outputBytes);
}

std::size_t callsOfALaunch(std::span<const DeviceCall> calls) {
  std::size_t count = 1;
  for (; count < calls.size() && count < device::Launch::kMostRuns; ++count) {
    const DeviceCall& next = calls[count];
    const auto before = calls.first(count);
    const auto feedsNext = [&](const DeviceCall& call) { return call.mayFeed(next); };
    if (next.streams != calls.front().streams) break;
    if (next.copiesInput() && std::ranges::any_of(before, feedsNext)) break;
    const DeviceCall* const other = reducing(before);
    if (next.program->reduces && other != nullptr && other->program->type != next.program->type) break;
  }
  return count;
}

DataType kernelType(std::span<const DeviceCall> calls) {
  const DeviceCall* const call = reducing(calls);
  return (call == nullptr ? calls.front() : *call).program->type;
}

}  // namespace atl::cuda
