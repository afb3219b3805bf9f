// SPDX-License-Identifier: Apache-2.0
#include "src/exec/host/bounce_copy.h"

#include <algorithm>

namespace atl::exec {
namespace {

constexpr std::uint32_t kTimedEvery = 16;
constexpr std::uint32_t kOtherEvery = 128;  ///< a multiple of kTimedEvery

}  // namespace

std::uint32_t blendedCost(std::uint32_t known, Duration spent, std::size_t bytes) {
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count();
  const auto sample = static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 1)) * 1000 / bytes + 1;
  std::uint64_t blended = sample;
  if (known != 0 && sample > known) {
    const std::uint64_t bounded = std::min<std::uint64_t>(sample, std::uint64_t{known} * 2);
    blended = known + (bounded - known + 7) / 8;
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(blended, UINT32_MAX));
}

CopyMarks BounceCopier::choose(std::size_t bytes, bool beyondCache, const Mailbox& out, Path stream) {
  const std::uint8_t kind = copyClassOf(bytes, beyondCache);
  if (stream != Path::automatic) return {stream == Path::on, false, kind};
  Known& known = known_[kind];
  const std::uint32_t turn = known.messages++;
  if (turn < kFirstTimed) return {turn % 2 == 1, true, kind};
  const std::uint32_t read[2] = {out.readCost[kind][0].load(std::memory_order_relaxed),
                                 out.readCost[kind][1].load(std::memory_order_relaxed)};
  // Unknown: nothing was read yet. Around the cache is never very wrong.
  const bool unknown = read[0] == 0 || read[1] == 0;
  const bool streamed =
      unknown || std::uint64_t{known.writeCost[1]} + read[1] <= std::uint64_t{known.writeCost[0]} + read[0];
  return {turn % kOtherEvery == 0 ? !streamed : streamed, turn % kTimedEvery == 0, kind};
}

void noteReading(Mailbox& in, CopyMarks marks, Duration spent, std::size_t bytes) {
  auto& cost = in.readCost[marks.kind][marks.streamed ? 1 : 0];
  cost.store(blendedCost(cost.load(std::memory_order_relaxed), spent, bytes), std::memory_order_relaxed);
}

}  // namespace atl::exec
